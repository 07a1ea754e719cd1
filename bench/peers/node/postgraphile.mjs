// PostGraphile on the tables as they are, with the functions of ../functions.sql.
import { createServer } from 'node:http'
import { grafserv } from 'postgraphile/grafserv/node'
import { postgraphile } from 'postgraphile'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { makePgService } from 'postgraphile/adaptors/pg'
import { serve } from './workers.mjs'

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.PEER_DATABASE_URL, schemas: ['public', 'bench'], poolConfig: { max: 10 },
    }),
  ],
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false },
}

serve(async (port) => {
  const server = createServer()
  server.on('error', (error) => { throw error })
  const serving = postgraphile(preset).createServ(grafserv)
  await serving.addTo(server)
  server.listen(port, '127.0.0.1')
})
