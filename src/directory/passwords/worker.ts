/** A hashing worker: takes one job at a time from the pool and answers it. It holds no state and no secret between jobs. */
import { parentPort } from 'node:worker_threads'
import { hashPassword, verifyPassword } from './hash.ts'
import type { Job, JobAnswer } from './jobs.ts'

async function answer(job: Job): Promise<JobAnswer> {
  switch (job.kind) {
    case 'hash':
      return hashPassword(job.password, job.salt, job.cost)
    case 'verify':
      for (const hash of job.hashes) if (await verifyPassword(hash, job.password)) return true
      return false
    case 'screen': {
      // Loaded on first use: the list costs some 8 MB that a server without new passwords never needs.
      const { isCommonlyUsed } = await import('./common-passwords.ts')
      return isCommonlyUsed(Buffer.from(job.password).toString('utf8'))
    }
  }
}

async function serve(job: Job): Promise<void> {
  const result = await answer(job)
  job.password.fill(0)
  parentPort?.postMessage(result)
}

parentPort?.on('message', (job: Job) => {
  // A rejection is left unhandled on purpose: it ends the worker, and the pool rejects the job.
  void serve(job)
})
