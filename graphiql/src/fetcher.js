/** How does the IDE speak to the server that served it? */
import { createGraphiQLFetcher } from '@graphiql/toolkit';

const ENDPOINT = '/graphql';

export const fetcher = createGraphiQLFetcher({
  url: ENDPOINT,
  // No simple form post can carry this header, so a request that has it comes from a page of ours.
  headers: { 'x-revgraph-client': 'graphiql' },
  // The server has no @defer; without it the plain fetcher asks for application/graphql-response+json.
  enableIncrementalDelivery: false,
  // A socket is opened by the first subscription; the headers editor becomes its connection parameters.
  subscriptionUrl: `${location.origin.replace(/^http/, 'ws')}${ENDPOINT}`,
});
