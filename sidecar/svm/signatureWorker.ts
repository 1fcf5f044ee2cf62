import { parentPort } from 'node:worker_threads'
import { FailedTransactionMetadata, LiteSvm } from 'litesvm/dist/internal.js'
import { type SignatureWork, Verdict } from './signatureChecker.ts'

/** `TransactionError::SignatureFailure` as LiteSVM numbers it. */
const SIGNATURE_FAILURE = 11

// The thread behind `signatureChecker.ts`. LiteSVM itself is the verifier, so that both sides judge alike: signatures
// are the first thing it looks at, and with no block hash it knows it stops right after them.
const svm = new LiteSvm()
svm.setSigverify(true)
svm.setBlockhashCheck(true)
svm.setTransactionHistory(0n)
svm.setLogBytesLimit(0n)

parentPort?.on('message', ({ bytes, ends, versioned, verdicts, position }: SignatureWork) => {
  for (let index = ends.length - 1; index > Atomics.load(position, 0); index--) {
    // Copied out of shared memory: native code is not told that another thread could write to it.
    const transaction = bytes.slice(index === 0 ? 0 : ends[index - 1]!, ends[index]!)
    const result =
      versioned[index] === 1
        ? svm.simulateVersionedTransaction(transaction)
        : svm.simulateLegacyTransaction(transaction)
    const isBad = result instanceof FailedTransactionMetadata && result.err() === SIGNATURE_FAILURE
    Atomics.store(verdicts, index, isBad ? Verdict.bad : Verdict.good)
  }
})
