import { option, section } from '../option.ts'
import { choice } from '../types/choice.ts'
import { identifier, path } from '../types/text.ts'

export const general = section('The instance itself.', {
  instanceId: option(identifier(), {
    default: 'monmouth',
    aliases: ['INSTANCE_ID'],
    meaning: 'Name of this instance in logs, metrics and traces.',
  }),
  logLevel: option(choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), {
    default: 'info',
    aliases: ['LOG_LEVEL'],
    meaning: 'Least severe log line that is written.',
  }),
  dataDir: option(path(), {
    default: './.monmouth/attach',
    meaning: 'Folder of the state database and the vector tables; made when missing.',
  }),
})
