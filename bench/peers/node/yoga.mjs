// GraphQL Yoga on Node's own HTTP server, with dataloaders.
import { createServer } from 'node:http'
import DataLoader from 'dataloader'
import { createSchema, createYoga } from 'graphql-yoga'
import { scalars, typeDefs } from './schema.mjs'
import * as store from './store.mjs'
import { serve } from './workers.mjs'

const paged = (load) => {
  const loaders = new Map()
  return (id, first) => {
    if (!loaders.has(first)) loaders.set(first, new DataLoader((ids) => load(ids, first)))
    return loaders.get(first).load(id)
  }
}
const loadersOfRequest = () => ({
  authors: new DataLoader(store.authorsById),
  subscriptions: new DataLoader(store.subscriptionsOf),
  apiKeys: paged(store.apiKeysOf),
  invoices: paged(store.invoicesOf),
  versions: paged(store.versionsOf),
  packages: paged(store.packagesOf),
})

const resolvers = {
  ...scalars,
  Query: {
    viewer: (_, __, { user }) => store.user(user),
    node: async (_, { id }) => (await store.nodes([id]))[0],
    nodes: (_, { ids }) => store.nodes(ids),
    packages: (_, asked) => store.packages(asked),
  },
  User: {
    subscription: ({ uuid }, _, { loaders }) => loaders.subscriptions.load(uuid),
    apiKeys: ({ uuid }, { first }, { loaders }) => loaders.apiKeys(uuid, first),
    invoices: ({ uuid }, { first }, { loaders }) => loaders.invoices(uuid, first),
  },
  Package: {
    author: ({ authorId }, _, { loaders }) => loaders.authors.load(authorId),
    versions: ({ uuid }, { first }, { loaders }) => loaders.versions(uuid, first),
  },
  Author: { packages: ({ uuid }, { first }, { loaders }) => loaders.packages(uuid, first) },
}

serve((port) => {
  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers }),
    context: ({ request }) => ({ user: request.headers.get('x-user'), loaders: loadersOfRequest() }),
    logging: false,
    graphiql: false,
  })
  createServer(yoga).listen(port, '127.0.0.1')
})
