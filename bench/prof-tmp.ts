import { startStile } from './servers.ts'
import { load } from './load.ts'
const scenario = process.argv[2] as never
const seconds = Number(process.argv[3] ?? 6)
const s = await startStile('ES256')
await load({ target: s.target, scenario, seconds: 2, connections: 32 })
await s.process.vitals()
const r = await load({ target: s.target, scenario, seconds, connections: 32 })
console.log(r, await s.process.vitals())
await s.stop()
process.exit(0)
