/**
 * The settings of a running process, read from its environment by the table in settings.ts; the command line may override
 * a few (`--port`, `--data`).
 *
 * Never: a secret in an error text.
 */
import { readFileSync } from 'node:fs'
import type { BlockList } from 'node:net'
import type { z } from 'zod'
import { blockList } from './address-ranges.ts'
import { port, type Setting, settings } from './settings.ts'

/** How many in how many seconds. */
export interface Rate {
  readonly guesses: number
  readonly seconds: number
}

/** The settings of a running process. */
export interface Config {
  readonly mode: 'dev' | 'serve'
  readonly databaseUrl: string | undefined
  readonly dataDirectory: string
  readonly host: string
  readonly port: number
  readonly authUrl: string
  readonly apiUrl: string
  readonly masterKey: string | undefined
  readonly masterKeyPrevious: string | undefined
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** The second port, on which clients are asked for a certificate. */
  readonly mtlsPort: number | undefined
  /** The origin under which clients with certificates reach the node; undefined where nobody can have one. */
  readonly mtlsUrl: string | undefined
  readonly trustedProxies: BlockList | undefined
  /** In lower case. */
  readonly clientCertificateHeader: string | undefined
  /** PEM. */
  readonly clientCertificateAuthorities: string | undefined
  /** PEM. */
  readonly fido2AttestationRoots: string | undefined
  /** How much one network address may do in how many seconds; undefined: there is no limit. */
  readonly addressLimits: Readonly<Record<'password' | 'account' | 'lookup' | 'client' | 'flow', Rate | undefined>>
  /** How many calls of the management API one caller may make in how many seconds; undefined: there is no limit. */
  readonly apiLimit: Rate | undefined
  /** Addresses that are not public and may be asked all the same. */
  readonly egressAllow: BlockList | undefined
  /** A file of what is known of networks. */
  readonly ipIntelligence: string | undefined
  readonly managementPort: number | undefined
  readonly bootstrapAdmin: { readonly clientId: string; readonly clientSecret: string } | undefined
  /** The mail server and the sender; undefined where none is set. */
  readonly smtp: { readonly url: string; readonly from: string } | undefined
  /** Where the API of Twilio is, and the account of the node; undefined where none is set. */
  readonly twilio: {
    readonly url: string
    readonly account: { readonly sid: string; readonly authToken: string; readonly from: string } | undefined
  }
  /** Where the gateway of Syniverse is. */
  readonly syniverseUrl: string
  /** Where the services for push messages are. */
  readonly pushUrls: { readonly apns: string; readonly fcm: string }
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
  readonly devSigningAlgorithm: 'RS256' | 'ES256'
}

/** What is wrong with the settings, one sentence each. The command line prints them and exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** What the command line may override. */
export interface ConfigOverrides {
  readonly port?: string | undefined
  readonly dataDirectory?: string | undefined
}

/**
 * Reads the settings.
 * @param environment usually `process.env`
 * @throws ConfigError with every problem at once
 */
export function readConfig(
  mode: 'dev' | 'serve',
  environment: Readonly<Record<string, string | undefined>>,
  overrides: ConfigOverrides = {},
): Config {
  const problems: string[] = []
  const read = <K extends keyof typeof settings>(name: K): z.output<(typeof settings)[K]['schema']> | undefined => {
    const setting: Setting = settings[name]
    let raw = environment[name]
    const file = environment[`${name}_FILE`]
    if (setting.file && file) {
      try {
        raw = readFileSync(file, 'utf8').trim()
      } catch {
        problems.push(`${name}_FILE names a file that cannot be read.`)
        return undefined
      }
    }
    const result = setting.schema.safeParse(raw === '' ? undefined : raw)
    if (result.success) return result.data as z.output<(typeof settings)[K]['schema']>
    problems.push(`${name} ${result.error.issues[0]?.message ?? 'is not valid'}.`)
    return undefined
  }

  /** A developer’s own tools all come from one address. */
  const rateOf = (
    name: `STILE_ADDRESS_LIMIT_${'PASSWORD' | 'ACCOUNT' | 'LOOKUP' | 'CLIENT' | 'FLOW'}` | 'STILE_API_LIMIT',
    standard: Rate,
  ): Rate | undefined => {
    if (!environment[name]) return mode === 'dev' ? undefined : standard
    return read(name)
  }

  const portText = overrides.port ?? environment['PORT']
  const parsedPort = port.default(4000).safeParse(portText === '' ? undefined : portText)
  if (!parsedPort.success) problems.push('PORT (--port) must be a number from 0 to 65535.')
  const listenPort = parsedPort.success ? parsedPort.data : 4000
  const publicUrl = read('STILE_PUBLIC_URL') ?? (mode === 'dev' ? `http://localhost:${listenPort}` : undefined)
  const masterKey = read('STILE_MASTER_KEY')
  const cert = read('STILE_TLS_CERT')
  const key = read('STILE_TLS_KEY')
  const clientId = read('STILE_BOOTSTRAP_ADMIN_CLIENT_ID')
  const clientSecret = read('STILE_BOOTSTRAP_ADMIN_CLIENT_SECRET')
  if (mode === 'serve') {
    if (!publicUrl)
      problems.push('STILE_PUBLIC_URL is missing: set it to the origin under which clients reach this server.')
    if (!masterKey) {
      problems.push('STILE_MASTER_KEY is missing: set it (or STILE_MASTER_KEY_FILE) to 32 random bytes in base64url.')
    }
  }
  if ((cert === undefined) !== (key === undefined))
    problems.push('STILE_TLS_CERT and STILE_TLS_KEY must be set together.')
  const mtlsPort = read('STILE_MTLS_PORT')
  if (mtlsPort !== undefined && cert === undefined) problems.push('STILE_MTLS_PORT needs STILE_TLS_CERT.')
  if ((clientId === undefined) !== (clientSecret === undefined)) {
    problems.push('STILE_BOOTSTRAP_ADMIN_CLIENT_ID and STILE_BOOTSTRAP_ADMIN_CLIENT_SECRET must be set together.')
  }
  const smtpUrl = read('STILE_SMTP_URL')
  const from = read('STILE_EMAIL_FROM') ?? 'Stile <noreply@localhost>'
  const sid = read('STILE_TWILIO_ACCOUNT_SID')
  const authToken = read('STILE_TWILIO_AUTH_TOKEN')
  const number = read('STILE_TWILIO_FROM')
  if (new Set([sid, authToken, number].map((part) => part === undefined)).size > 1) {
    problems.push('STILE_TWILIO_ACCOUNT_SID, STILE_TWILIO_AUTH_TOKEN and STILE_TWILIO_FROM must be set together.')
  }
  const authUrl = read('STILE_AUTH_URL') ?? publicUrl ?? ''
  const clientCertificateHeader = read('STILE_CLIENT_CERTIFICATE_HEADER')
  const behindProxy = clientCertificateHeader === undefined ? undefined : authUrl
  const config: Config = {
    mode,
    databaseUrl: read('DATABASE_URL'),
    dataDirectory: overrides.dataDirectory ?? read('STILE_DATA_DIR') ?? '.stile',
    host: read('STILE_HOST') ?? (mode === 'dev' ? 'localhost' : '0.0.0.0'),
    port: listenPort,
    authUrl,
    apiUrl: read('STILE_API_URL') ?? publicUrl ?? '',
    masterKey,
    masterKeyPrevious: read('STILE_MASTER_KEY_PREVIOUS'),
    tls: cert && key ? { cert, key } : undefined,
    mtlsPort,
    mtlsUrl: read('STILE_MTLS_URL') ?? (mtlsPort === undefined ? behindProxy : onPort(authUrl, mtlsPort)),
    clientCertificateHeader,
    clientCertificateAuthorities: read('STILE_CLIENT_CERTIFICATE_AUTHORITIES'),
    fido2AttestationRoots: read('STILE_FIDO2_ATTESTATION_ROOTS'),
    trustedProxies: blockList(read('STILE_TRUSTED_PROXIES') ?? []),
    addressLimits: {
      password: rateOf('STILE_ADDRESS_LIMIT_PASSWORD', { guesses: 50, seconds: 300 }),
      account: rateOf('STILE_ADDRESS_LIMIT_ACCOUNT', { guesses: 10, seconds: 600 }),
      lookup: rateOf('STILE_ADDRESS_LIMIT_LOOKUP', { guesses: 60, seconds: 60 }),
      client: rateOf('STILE_ADDRESS_LIMIT_CLIENT', { guesses: 200, seconds: 60 }),
      flow: rateOf('STILE_ADDRESS_LIMIT_FLOW', { guesses: 600, seconds: 60 }),
    },
    apiLimit: rateOf('STILE_API_LIMIT', { guesses: 1000, seconds: 10 }),
    egressAllow: blockList([...(mode === 'dev' ? ['127.0.0.0/8', '::1'] : []), ...(read('STILE_EGRESS_ALLOW') ?? [])]),
    ipIntelligence: read('STILE_IP_INTELLIGENCE'),
    managementPort: read('STILE_MANAGEMENT_PORT') ?? (mode === 'serve' ? 4001 : undefined),
    bootstrapAdmin: clientId && clientSecret ? { clientId, clientSecret } : undefined,
    smtp: smtpUrl === undefined ? undefined : { url: smtpUrl, from },
    twilio: {
      url: read('STILE_TWILIO_URL') ?? '',
      account: sid && authToken && number ? { sid, authToken, from: number } : undefined,
    },
    syniverseUrl: read('STILE_SYNIVERSE_URL') ?? '',
    pushUrls: { apns: read('STILE_APNS_URL') ?? '', fcm: read('STILE_FCM_URL') ?? '' },
    logLevel: read('STILE_LOG_LEVEL') ?? (mode === 'dev' ? 'warn' : 'info'),
    devSigningAlgorithm: read('STILE_DEV_SIGNING_ALGORITHM') ?? 'RS256',
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** The same host by TLS on another port; undefined where there is no host. */
function onPort(address: string, number: number): string | undefined {
  const url = URL.parse(address)
  return url ? `https://${url.hostname}:${number}` : undefined
}
