import { describeConformance } from './conformance.ts'
import { startScriptedServer } from './startScriptedServer.ts'

describeConformance('the server core over a scripted feed', () => startScriptedServer())
