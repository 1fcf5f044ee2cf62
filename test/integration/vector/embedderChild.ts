/** Embeds the notes of a folder again, until done or killed: `node embedderChild.ts FOLDER URL DIMENSIONS`. */
import { modelOf, openNotes } from './embedderTable.ts'

const [directory, url, dimensions] = process.argv.slice(2) as [string, string, string]
await using notes = await openNotes(directory, { dimensions: Number(dimensions) })
await notes.serving.reembed(modelOf(url, Number(dimensions)), {
  batchRows: 16,
  exclusive: (work) => work(),
})
