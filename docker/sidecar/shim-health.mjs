// Exit code 0 when the shim on this port of the same container says SERVING: `node docker/sidecar/shim-health.mjs 9100`.
import { Client, credentials } from '@grpc/grpc-js'

const raw = (bytes) => bytes
const client = new Client(`127.0.0.1:${process.argv[2] ?? 9100}`, credentials.createInsecure())
const options = { deadline: Date.now() + 3_000 }
// An empty request asks for the server as a whole; the answer's one field (tag 8) is 1 for SERVING.
client.makeUnaryRequest(
  '/grpc.health.v1.Health/Check',
  raw,
  raw,
  Buffer.alloc(0),
  options,
  (error, answer) => {
    if (error) console.error(error.message)
    process.exit(!error && answer[0] === 8 && answer[1] === 1 ? 0 : 1)
  },
)
