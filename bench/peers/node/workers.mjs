// One process, or as many as PEER_WORKERS says on one port.
import cluster from 'node:cluster'

export function serve(start) {
  const workers = Number(process.env.PEER_WORKERS ?? 1)
  if (workers > 1 && cluster.isPrimary) {
    for (let number = 0; number < workers; number++) cluster.fork()
    process.on('SIGTERM', () => {
      for (const worker of Object.values(cluster.workers)) worker.kill()
      process.exit(0)
    })
    return
  }
  process.on('SIGTERM', () => process.exit(0))
  start(Number(process.env.PEER_PORT))
}
