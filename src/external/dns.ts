/**
 * What the DNS says of a name, as a port: texts at a name, and what the name stands for, with a bound on the time and on how much is looked at.
 *
 * Never: an answer that could not be had taken for one; whoever asks gets none, and what needs one is not proved.
 */
import { Resolver } from 'node:dns/promises'

/** Asks the DNS. */
export interface Dns {
  /** The TXT records at a name, each as one text (RFC 7208 section 3.3); none where there are none, or no answer. */
  texts(name: string): Promise<readonly string[]>
  /** The names that a name is an alias of (CNAME), in lower case without a dot at the end; none where there are none. */
  aliases(name: string): Promise<readonly string[]>
}

/** Milliseconds that one question may take, and how often it is asked again. */
const patience = 2_000
const tries = 2

const mostRecords = 100
const longestRecord = 4096

/** The DNS as this machine is told to ask it. */
export const systemDns: Dns = {
  async texts(name) {
    const records = await asked((resolver) => resolver.resolveTxt(name))
    return records.slice(0, mostRecords).map((pieces) => pieces.join('').slice(0, longestRecord))
  },
  async aliases(name) {
    const records = await asked((resolver) => resolver.resolveCname(name))
    return records.slice(0, mostRecords).map((each) => each.toLowerCase().replace(/\.$/, ''))
  },
}

async function asked<Record>(question: (resolver: Resolver) => Promise<readonly Record[]>): Promise<readonly Record[]> {
  const resolver = new Resolver({ timeout: patience, tries })
  const timer = setTimeout(() => resolver.cancel(), patience * tries + 1_000)
  try {
    return await question(resolver)
  } catch {
    return []
  } finally {
    clearTimeout(timer)
  }
}
