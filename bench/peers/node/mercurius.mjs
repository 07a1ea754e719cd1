// Mercurius with graphql-jit and its own batch loaders.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { scalars, typeDefs } from './schema.mjs'
import * as store from './store.mjs'
import { serve } from './workers.mjs'

// One statement for each page size among the parents: in practice one.
const batch = (load, key = 'uuid') => ({
  opts: { cache: false },
  loader: (queries) => load(queries.map(({ obj }) => obj[key]), queries[0].params.first),
})

const resolvers = {
  ...scalars,
  Query: {
    viewer: (_, __, { user }) => store.user(user),
    node: async (_, { id }) => (await store.nodes([id]))[0],
    nodes: (_, { ids }) => store.nodes(ids),
    packages: (_, asked) => store.packages(asked),
  },
}
const loaders = {
  User: {
    subscription: batch(store.subscriptionsOf), apiKeys: batch(store.apiKeysOf), invoices: batch(store.invoicesOf),
  },
  Package: { author: batch(store.authorsById, 'authorId'), versions: batch(store.versionsOf) },
  Author: { packages: batch(store.packagesOf) },
}

serve(async (port) => {
  const app = Fastify()
  app.register(mercurius, {
    schema: typeDefs, resolvers, loaders, jit: 1, context: (request) => ({ user: request.headers['x-user'] }),
  })
  await app.listen({ port, host: '127.0.0.1' })
})
