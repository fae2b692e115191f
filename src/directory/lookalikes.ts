/**
 * Names that are not the same but look it: letters of other scripts that have the shape of Latin ones (Unicode Technical
 * Standard 39 section 4; row K28). The canonical form keeps apart what is spelt differently; this finds what people would
 * take for one another. The scripts are those in which a whole Latin word can be spelt.
 *
 * Never: a name compared by this form alone; it finds names to look at, `usernameKey` decides which are the same.
 */
import type { Kernel } from '../kernel.ts'
import { userWithPasswordByKey, usersOfEmail } from '../storage/sql/users.ts'
import { textKey, usernameKey } from './users.ts'

/** Letters of one script, each above the Latin letter or digit that it looks like. */
const shapes: readonly (readonly [letters: string, latin: string])[] = [
  // Cyrillic
  ['авгеікопрстухѕјһԁԛԝӏѵзбьѡ', 'abreikonpcmyxsjhdqwlv36bw'],
  ['АВЕІЈКМНОРСТУХЅӀԚԜѴЗЬҮ', 'ABEIJKMHOPCTYXSlQWV3bY'],
  // Greek
  ['αγηικνορστυχω', 'ayniknopotuxw'],
  ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'],
  // Armenian
  ['օսհոցզյ', 'ouhngqj'],
  ['ՕՍԼՏ', 'OULS'],
  // Latin small capitals, dotless and single-storey forms
  ['ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ', 'abcdefghijklmnoprstuvwyz'],
  ['ıȷɑɡɩǀ', 'ijagil'],
  // Cherokee
  ['ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ', 'ABCDEGHJKLMPRSTVWZ'],
  // Lisu
  ['ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ', 'ABCDEFGHIJKLMNOPRSTUVWXYZ'],
]

const latinOf: ReadonlyMap<string, string> = new Map(
  shapes.flatMap(([letters, latin]) => Array.from(letters).map((letter, at) => [letter, latin.charAt(at)] as const)),
)

/** Dots on a letter that has one anyway, as lower case makes them of `İ`. */
const secondDot = /(?<=[ij])\u0307+/g

const inLatin = (text: string): string => Array.from(text, (letter) => latinOf.get(letter) ?? letter).join('')

/**
 * The form in which a name is compared with those it may be taken for. Letters are looked at as they are typed, since
 * capitals and small ones differ in shape (`Н` is an H, `н` is not), and once more in lower case, since names that differ
 * only in case are one name: `Γ` is like nothing Latin, `γ` is.
 * @returns undefined where the name looks like nothing but itself
 */
export function lookalikeOf(name: string): string | undefined {
  const typed = textKey(inLatin(name.normalize('NFKC')))
  const key = usernameKey(inLatin(typed).replace(secondDot, ''))
  return key === usernameKey(name) ? undefined : key
}

/**
 * Whom a name could be taken for: the user whose username or e-mail address it looks like. No read for a name that looks
 * like nothing but itself.
 * @param name a username or an e-mail address
 * @param exceptId the user whose name it is
 */
export async function resembledUser(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  name: string,
  exceptId?: string,
): Promise<string | undefined> {
  const key = lookalikeOf(name)
  if (key === undefined) return undefined
  const rows = [
    ...(await storage.read(userWithPasswordByKey(environmentId, key))),
    ...(await storage.read(usersOfEmail(environmentId, textKey(key)))),
  ]
  return rows.find(({ id }) => id !== exceptId)?.id
}
