/**
 * Every setting, once: name, default and meaning; `docs/reference/settings.md` is generated from this table. They are read
 * in config.ts.
 *
 * Never: a public address taken from a request (security catalogue 4.9).
 */
import { z } from 'zod'
import { addressRanges } from './address-ranges.ts'

/** How many in how many seconds, such as `50/300`; `off` for no limit. */
const rate = z
  .string()
  .regex(/^(?:off|[1-9]\d{0,6}\/[1-9]\d{0,4})$/, 'must be a number and seconds such as 50/300, or off')
  .transform((text) => {
    const [guesses = 0, seconds = 0] = text.split('/').map(Number)
    return text === 'off' ? undefined : { guesses, seconds }
  })

const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'must be an origin such as https://auth.example.com',
  )
export const port = z.coerce.number().int().min(0).max(65535)

/** One setting: its schema, what it means, and its default as the reference shows it. */
export interface Setting {
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
  STILE_MTLS_PORT: {
    schema: port.optional(),
    default: 'unset',
    meaning:
      'With `STILE_TLS_CERT`: a second port on which clients are asked for a certificate (RFC 8705), so that browsers never are.',
  },
  STILE_MTLS_URL: {
    schema: origin.optional(),
    default: '`STILE_AUTH_URL`, with `STILE_MTLS_PORT` where that is set',
    meaning:
      'The origin under which clients with certificates reach Stile; the metadata names it (`mtls_endpoint_aliases`).',
  },
  STILE_TRUSTED_PROXIES: {
    schema: addressRanges,
    default: 'none',
    meaning: 'Proxies whose X-Forwarded-For, and whose `STILE_CLIENT_CERTIFICATE_HEADER`, is believed.',
  },
  STILE_CLIENT_CERTIFICATE_HEADER: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be the name of a header')
      .transform((name) => name.toLowerCase())
      .optional(),
    default: 'unset: no header is read',
    meaning:
      'The header in which trusted proxies send the certificate of a client: `Client-Cert` (RFC 9440), or any other with URL-encoded PEM. Proxies have to remove it from what clients send. Intermediates are read from the same name with `-Chain`.',
  },
  STILE_CLIENT_CERTIFICATE_AUTHORITIES: {
    schema: z.string().optional(),
    default: 'unset: none',
    meaning:
      'The certificate authorities, as PEM, that may issue certificates of clients (`TLS_CLIENT_AUTH`) in environments that name none themselves.',
    file: true,
  },
  STILE_FIDO2_ATTESTATION_ROOTS: {
    schema: z.string().optional(),
    default: 'unset: those of Apple and Google alone',
    meaning:
      'Authorities of authenticators, as PEM, whose attestation is trusted where a FIDO2 policy demands one (`attestationRequirements`), beside those that the policy names.',
    file: true,
  },
  STILE_ADDRESS_LIMIT_PASSWORD: {
    schema: rate.optional(),
    default: 'dev: `off`; serve: `50/300`',
    meaning:
      'Wrong passwords and passkeys in sign-on flows, in as many seconds, from one network address (IPv6: /64) in one environment; then 429. Needs `STILE_TRUSTED_PROXIES` behind a proxy, or all users share one address.',
  },
  STILE_ADDRESS_LIMIT_ACCOUNT: {
    schema: rate.optional(),
    default: 'dev: `off`; serve: `10/600`',
    meaning: 'The same for registrations and for recovery and verification codes that are asked for.',
  },
  STILE_ADDRESS_LIMIT_LOOKUP: {
    schema: rate.optional(),
    default: 'dev: `off`; serve: `60/60`',
    meaning: 'The same for usernames that are looked up.',
  },
  STILE_ADDRESS_LIMIT_CLIENT: {
    schema: rate.optional(),
    default: 'dev: `off`; serve: `200/60`',
    meaning: 'The same for requests of clients whose credentials are refused.',
  },
  STILE_ADDRESS_LIMIT_FLOW: {
    schema: rate.optional(),
    default: 'dev: `off`; serve: `600/60`',
    meaning:
      'The same for sign-on flows that begin; a request that a session answers at once begins none. Where an application asks for its users from a server of its own (`response_mode=pi.flow`), all of them are of one address.',
  },
  STILE_API_LIMIT: {
    schema: rate.optional(),
    default: 'dev: `off`; serve: `1000/10`',
    meaning:
      'Calls of the management API, in as many seconds, by one application or user, whatever their token; then 429. Each node counts for itself.',
  },
  STILE_EGRESS_ALLOW: {
    schema: addressRanges,
    default: 'none; dev: loopback (`127.0.0.0/8,::1`)',
    meaning:
      'Addresses that are not public and may be asked all the same: identity providers and webhooks of one’s own network. There plain http and any port are allowed.',
  },
  STILE_IP_INTELLIGENCE: {
    schema: z.string().min(1).optional(),
    default: 'unset: nothing is known of any network',
    meaning:
      'Path of a file of JSON lines that says of networks what conditions ask: `{"network":"203.0.113.0/24","anonymous":true,"riskScore":90,"latitude":52.5,"longitude":13.4}`.',
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
  STILE_SYNIVERSE_URL: {
    schema: origin.default('https://api.syniverse.com'),
    default: '`https://api.syniverse.com`',
    meaning: 'Where the gateway of Syniverse is reached, for environments that have an account there.',
  },
  STILE_APNS_URL: {
    schema: origin.default('https://api.push.apple.com'),
    default: '`https://api.push.apple.com`',
    meaning:
      'Where Apple takes push messages; for apps that are built for development: `https://api.sandbox.push.apple.com`.',
  },
  STILE_FCM_URL: {
    schema: origin.default('https://fcm.googleapis.com'),
    default: '`https://fcm.googleapis.com`',
    meaning: 'Where Firebase Cloud Messaging takes push messages.',
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
