import { optional, section } from '../option.ts'
import { path } from '../types/text.ts'

export const mcp = section('The door for agents that speak MCP, /mcp beside the other HTTP doors.', {
  tokenFile: optional(path(), {
    example: 'secrets/mcp-tokens',
    meaning:
      'File of bearer tokens, one a line, one of which callers of /mcp must send; without it only callers on this machine are answered.',
  }),
})
