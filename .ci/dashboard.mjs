// Metrics of a running sidecar on the standard input: every name that a dashboard asks for must be there, or in reth's shim.
import { readdirSync, readFileSync } from 'node:fs'

const folder = 'docker/grafana/dashboards'
const asked = readdirSync(folder).flatMap((file) => {
  const { panels, annotations } = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))
  const expressions = [...panels.flatMap((panel) => panel.targets ?? []), ...annotations.list]
  return expressions.flatMap(({ expr }) => expr.match(/\b(monmouth|reth)_\w+/g) ?? [])
})

const served = new Set(
  [...readFileSync(0, 'utf8').matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
)
// reth puts its own name before every metric of its process.
const shim = readFileSync('docker/reth-exex/shim/src/metrics.rs', 'utf8')
for (const [, name] of shim.matchAll(/"(exex_shim_\w+)"/g)) served.add(`reth_${name}`)

const missing = [...new Set(asked)].filter((name) => !served.has(name))
if (missing.length > 0) console.error(`not served: ${missing.join(', ')}`)
console.log(`${new Set(asked).size} metrics asked for, ${missing.length} missing`)
process.exitCode = missing.length === 0 && asked.length > 0 ? 0 : 1
