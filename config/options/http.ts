import { option, section } from '../option.ts'
import { hostPort } from '../types/hostPort.ts'

export const http = section('The HTTP door: health, status, metrics, context, decisions, accounts.', {
  listen: option(hostPort(), {
    default: { host: '127.0.0.1', port: 8080 },
    meaning: 'Where HTTP is served; port 0 takes any free one, which is printed.',
  }),
})
