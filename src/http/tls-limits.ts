/**
 * What every port speaks over TLS: with TLS 1.2 nothing but the four suites that BCP 195 recommends (RFC 9325 section 4.2,
 * FAPI 2.0 Security Profile section 5.2.2), and those of TLS 1.3.
 */

/** Options of whatever makes a server or a certificate for one. */
export const tlsLimits = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ].join(':'),
} as const
