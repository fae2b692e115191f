/**
 * Every setting, once: name, default and meaning; `docs/reference/settings.md` is generated from this table. Settings
 * come from the environment of the process; the command line may override a few (`--port`, `--data`).
 *
 * Never: a public address taken from a request (security catalogue 4.9), a secret in an error text.
 */
import { readFileSync } from 'node:fs'
import type { BlockList } from 'node:net'
import { z } from 'zod'
import { addressRanges, blockList } from './address-ranges.ts'

const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'must be an origin such as https://auth.example.com',
  )
const port = z.coerce.number().int().min(0).max(65535)

/** One setting: its schema, what it means, and its default as the reference shows it. */
interface Setting {
  readonly schema: z.ZodType
  readonly meaning: string
  readonly default: string
  /** Also read from the file that `<name>_FILE` names. */
  readonly file?: boolean
}

export const settings = {
  DATABASE_URL: {
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional(),
    default: 'unset: the embedded engine',
    meaning: 'PostgreSQL 14 or later. Needed as soon as more than one node runs.',
    file: true,
  },
  PORT: { schema: port.default(4000), default: '4000', meaning: 'The port to listen on; 0 takes any free one.' },
  STILE_DATA_DIR: {
    schema: z.string().min(1).default('.stile'),
    default: '`.stile`',
    meaning: 'Where the embedded engine, and in dev the master key and quickstart.json, live.',
  },
  STILE_HOST: {
    schema: z.string().min(1).optional(),
    default: 'dev: `localhost` (both families); serve: `0.0.0.0`',
    meaning: 'The address to listen on.',
  },
  STILE_PUBLIC_URL: {
    schema: origin.optional(),
    default: 'dev: `http://localhost:<port>`; serve: required',
    meaning:
      'The origin under which clients reach Stile. Issuers, links and cookies are built from it, never from the Host header.',
  },
  STILE_AUTH_URL: {
    schema: origin.optional(),
    default: '`STILE_PUBLIC_URL`',
    meaning: 'The origin of the authentication endpoints, where it differs.',
  },
  STILE_API_URL: {
    schema: origin.optional(),
    default: '`STILE_PUBLIC_URL`',
    meaning: 'The origin of the management API, where it differs.',
  },
  STILE_MASTER_KEY: {
    schema: z.string().optional(),
    default: 'dev: made in `<data>/master.key`; serve: required',
    meaning: '32 bytes, base64url. Seals every secret that must be read again.',
    file: true,
  },
  STILE_MASTER_KEY_PREVIOUS: {
    schema: z.string().optional(),
    default: 'unset',
    meaning: 'The master key before the present one; data keys under it are wrapped anew at start.',
    file: true,
  },
  STILE_TLS_CERT: {
    schema: z.string().optional(),
    default: 'unset: plain HTTP',
    meaning: 'Path of the PEM certificate chain.',
  },
  STILE_TLS_KEY: { schema: z.string().optional(), default: 'unset', meaning: 'Path of the PEM private key.' },
  STILE_TRUSTED_PROXIES: {
    schema: addressRanges,
    default: 'none',
    meaning: 'Proxies whose X-Forwarded-For is believed.',
  },
  STILE_EGRESS_ALLOW: {
    schema: addressRanges,
    default: 'none; dev: loopback (`127.0.0.0/8,::1`)',
    meaning:
      'Addresses that are not public and may be asked all the same: identity providers and webhooks of one’s own network. There plain http and any port are allowed.',
  },
  STILE_MANAGEMENT_PORT: {
    schema: port.optional(),
    default: 'serve: 4001; dev: off',
    meaning: 'The port for health (`/health/live`, `/health/ready`, `/health/started`).',
  },
  STILE_BOOTSTRAP_ADMIN_CLIENT_ID: {
    schema: z.uuid().optional(),
    default: 'unset',
    meaning: 'serve: while no administrator exists, a worker application with this id becomes Organization Admin.',
  },
  STILE_BOOTSTRAP_ADMIN_CLIENT_SECRET: {
    schema: z
      .string()
      .min(32)
      .max(256)
      .regex(/^[A-Za-z0-9._~-]+$/)
      .optional(),
    default: 'unset',
    meaning: 'The secret of that application, at least 32 characters.',
    file: true,
  },
  STILE_SMTP_URL: {
    schema: z
      .string()
      .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
      .refine((text) => URL.canParse(text), 'must be an address')
      .optional(),
    default: 'unset: dev keeps messages in its inbox (`/dev/inbox`), serve sends none',
    meaning: 'The mail server, with user and password where it asks for them.',
    file: true,
  },
  STILE_EMAIL_FROM: {
    schema: z.string().min(3).max(256).optional(),
    default: '`Stile <noreply@localhost>`',
    meaning: 'The sender of e-mail.',
  },
  STILE_TWILIO_URL: {
    schema: origin.default('https://api.twilio.com'),
    default: '`https://api.twilio.com`',
    meaning: 'Where the API of Twilio, or one of the same shape, is reached for SMS and calls.',
  },
  STILE_TWILIO_ACCOUNT_SID: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9]{1,64}$/, 'must be letters and digits')
      .optional(),
    default: 'unset: dev keeps SMS and calls in its inbox, serve sends none',
    meaning: 'The account by which environments send SMS and calls that have no provider of their own.',
  },
  STILE_TWILIO_AUTH_TOKEN: {
    schema: z.string().min(1).max(256).optional(),
    default: 'unset',
    meaning: 'The secret of that account.',
    file: true,
  },
  STILE_TWILIO_FROM: {
    schema: z
      .string()
      .regex(/^\+?[0-9A-Za-z ]{3,20}$/, 'must be a number or a name')
      .optional(),
    default: 'unset',
    meaning: 'The number from which that account sends.',
  },
  STILE_LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).optional(),
    default: 'dev: `warn`; serve: `info`',
    meaning: 'How much is written to standard output, as JSON lines.',
  },
  STILE_DEV_SIGNING_ALGORITHM: {
    schema: z.enum(['RS256', 'ES256']).optional(),
    default: '`RS256`',
    meaning: 'dev: the signing algorithm of the demo environment when it is first made.',
  },
} as const satisfies Record<string, Setting>

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
  readonly trustedProxies: BlockList | undefined
  /** Addresses that are not public and may be asked all the same. */
  readonly egressAllow: BlockList | undefined
  readonly managementPort: number | undefined
  readonly bootstrapAdmin: { readonly clientId: string; readonly clientSecret: string } | undefined
  /** The mail server and the sender; undefined where none is set. */
  readonly smtp: { readonly url: string; readonly from: string } | undefined
  /** Where the API of Twilio is, and the account of the node; undefined where none is set. */
  readonly twilio: {
    readonly url: string
    readonly account: { readonly sid: string; readonly authToken: string; readonly from: string } | undefined
  }
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
  const config: Config = {
    mode,
    databaseUrl: read('DATABASE_URL'),
    dataDirectory: overrides.dataDirectory ?? read('STILE_DATA_DIR') ?? '.stile',
    host: read('STILE_HOST') ?? (mode === 'dev' ? 'localhost' : '0.0.0.0'),
    port: listenPort,
    authUrl: read('STILE_AUTH_URL') ?? publicUrl ?? '',
    apiUrl: read('STILE_API_URL') ?? publicUrl ?? '',
    masterKey,
    masterKeyPrevious: read('STILE_MASTER_KEY_PREVIOUS'),
    tls: cert && key ? { cert, key } : undefined,
    trustedProxies: blockList(read('STILE_TRUSTED_PROXIES') ?? []),
    egressAllow: blockList([...(mode === 'dev' ? ['127.0.0.0/8', '::1'] : []), ...(read('STILE_EGRESS_ALLOW') ?? [])]),
    managementPort: read('STILE_MANAGEMENT_PORT') ?? (mode === 'serve' ? 4001 : undefined),
    bootstrapAdmin: clientId && clientSecret ? { clientId, clientSecret } : undefined,
    smtp: smtpUrl === undefined ? undefined : { url: smtpUrl, from },
    twilio: {
      url: read('STILE_TWILIO_URL') ?? '',
      account: sid && authToken && number ? { sid, authToken, from: number } : undefined,
    },
    logLevel: read('STILE_LOG_LEVEL') ?? (mode === 'dev' ? 'warn' : 'info'),
    devSigningAlgorithm: read('STILE_DEV_SIGNING_ALGORITHM') ?? 'RS256',
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}
