/**
 * Profile data in passwords: a password must not be the value of any attribute of its owner's profile, in whatever case,
 * nor the part of an e-mail address before the `@`. As in PingOne, whole values are compared, not parts of them.
 */

/**
 * Whether the password is one of the values in `profile`.
 * @param profile the user as plain data, of any depth; context such as the environment's name may be added to it
 */
export function isProfileData(password: string, profile: unknown): boolean {
  const wanted = folded(password)
  return values(profile).some((value) => folded(value) === wanted || folded(value.split('@', 1)[0] ?? '') === wanted)
}

function values(data: unknown): readonly string[] {
  if (typeof data === 'string') return [data]
  if (typeof data === 'number') return [String(data)]
  return typeof data === 'object' && data !== null ? Object.values(data).flatMap(values) : []
}

function folded(text: string): string {
  return text.normalize('NFC').trim().toLowerCase()
}
