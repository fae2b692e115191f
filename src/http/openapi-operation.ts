/** `GET /v1/openapi.json`: the contract itself, worked out and written once, on the first request: it is 3 MB. */
import { z } from 'zod'
import { openApiDocument } from '../contract/openapi.ts'
import { defineOperation, type Operation } from '../contract/operation.ts'

/** The operation that serves the description of `operations`, itself included. */
export function openApiOperation(operations: readonly Operation[]): Operation {
  let content: Buffer | undefined
  const operation: Operation = defineOperation({
    id: 'openApi',
    method: 'GET',
    path: '/v1/openapi.json',
    surface: 'management',
    tag: 'Contract',
    summary: 'Read the OpenAPI description of every operation',
    source: 'OpenAPI 3.1',
    extension: true,
    permission: { kind: 'public' },
    cors: 'any',
    servesWhenStale: true,
    replies: { 200: z.looseObject({ openapi: z.string() }) },
    errors: [],
    handle: () => {
      content ??= Buffer.from(JSON.stringify(openApiDocument([...operations, operation])))
      const file = { contentType: 'application/json;charset=UTF-8', content }
      return { status: 200, file, headers: { 'cache-control': 'public, max-age=300', pragma: '' } }
    },
  })
  return operation
}
