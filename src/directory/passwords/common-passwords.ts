/**
 * Screening against some 49,000 commonly used passwords, offline (NIST SP 800-63B-4 section 3.1.1.2). The list is loaded
 * with this file, so only the hashing workers import it, and only when a password is first set.
 *
 * The password is compared whole, in the forms in which people disguise one: upper case, look-alike digits and signs,
 * and signs at either end, with which `Welcome1!` satisfies every composition rule. Never: a search for listed words
 * inside a longer password.
 */
import { dictionary } from '@zxcvbn-ts/language-common'

const lookAlikes: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '|': 'i',
  l: 'i',
  '0': 'o',
  '5': 's',
  $: 's',
  '7': 't',
  '+': 't',
}

const undisguisedList: ReadonlySet<string> = new Set(dictionary['passwords-common'].map(undisguised))

/** Whether the password, undisguised, is on the list. */
export function isCommonlyUsed(password: string): boolean {
  const bare = password.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
  return undisguisedList.has(undisguised(password)) || (bare !== '' && undisguisedList.has(undisguised(bare)))
}

function undisguised(text: string): string {
  return text.toLowerCase().replace(/[@431!|l05$7+]/g, (sign) => lookAlikes[sign] ?? sign)
}
