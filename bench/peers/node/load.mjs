// The load: autocannon keeps connections busy; undici sends at a fixed rate, whatever becomes of the answers.
//
//     node load.mjs order.json     -> one line of JSON
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { Pool } from 'undici'

const order = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const failed = (status, body) =>
  status !== 200 || !body.startsWith(order.expected) || body.includes('"errors":[{')

async function busy({ url, path, requests, connections, seconds }) {
  let next = 0
  let wrong = 0
  const result = await autocannon({
    url, connections, duration: seconds, method: 'POST', path, timeout: 30,
    requests: requests.slice(0, connections),
    setupClient: (client) => {
      // Each connection starts at a place of its own, and with changes takes what no other one takes.
      const place = next++
      const own = requests.filter((_, number) => number % connections === place)
      const turn = order.changes ? own : [...requests.slice(place), ...requests.slice(0, place)]
      client.setRequests(turn.map((request) => ({
        ...request, method: 'POST', path, onResponse: (status, body) => { if (failed(status, body)) wrong++ },
      })))
    },
  })
  return {
    requests: result.requests.total, seconds: result.duration, wrong,
    errors: result.errors + result.timeouts, p50: result.latency.p50, p95: null, p99: result.latency.p99,
  }
}

// Waiting times are counted from the moment at which a request was due, so that a server that stands still is
// charged for all who would have come meanwhile.
async function paced({ url, path, requests, connections, seconds, rate }) {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const total = Math.round(rate * seconds)
  const waited = []
  let wrong = 0
  let errors = 0
  const ask = async (number, due) => {
    try {
      const { body, headers } = requests[number % requests.length]
      const response = await pool.request({ path, method: 'POST', headers, body })
      const text = await response.body.text()
      if (failed(response.statusCode, text)) wrong++
      waited.push(performance.now() - due)
    } catch {
      errors++
    }
  }
  const start = performance.now()
  const asked = []
  for (let number = 0; number < total;) {
    const now = performance.now()
    if (now - start > seconds * 1000 + 5000) break
    for (; number < total && start + (number * 1000) / rate <= now; number++) {
      asked.push(ask(number, start + (number * 1000) / rate))
    }
    await new Promise((resume) => setTimeout(resume, 1))
  }
  const limit = new Promise((resume) => setTimeout(resume, 20_000))
  await Promise.race([Promise.all(asked), limit])
  const taken = (performance.now() - start) / 1000
  waited.sort((a, b) => a - b)
  const at = (share) => waited[Math.min(waited.length - 1, Math.floor(share * waited.length))]
  return {
    requests: waited.length, seconds: taken, wrong, errors: errors + total - waited.length - errors,
    p50: at(0.5), p95: at(0.95), p99: at(0.99),
  }
}

const result = await (order.rate ? paced(order) : busy(order))
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
