/**
 * DescribeConfigs lists the configs of topics (resource type 2), brokers (4), broker loggers (8),
 * client metrics (16) and groups (32).
 *
 * A null list of keys asks for all. 1 adds sources and synonyms (KIP-226), 3 type and documentation
 * (KIP-569).
 */
import type { RequestOf, ResponseOf } from '../schema.ts'
import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexible: '4+',
  request: {
    resources: array({
      resourceType: int8(),
      /** Empty for the defaults of all brokers. */
      resourceName: string(),
      configurationKeys: array(string(), { nullable: '0+' }),
    }),
    includeSynonyms: bool({ versions: '1+', default: false }),
    includeDocumentation: bool({ versions: '3+', default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: '0+' }),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        /** Null if it is sensitive or not set. */
        value: string({ nullable: '0+' }),
        readOnly: bool(),
        /**
         * 0: unknown; 1: the topic; 2: this broker, changed while running; 3: all brokers,
         * likewise; 4: the broker's properties; 5: the default; 6: this broker's logger; 7: client
         * metrics; 8: the group.
         */
        configSource: int8({ versions: '1+', default: -1, ignorable: true }),
        isSensitive: bool(),
        synonyms: array(
          { name: string(), value: string({ nullable: '0+' }), source: int8() },
          { versions: '1+', ignorable: true },
        ),
        /**
         * 0: unknown; 1: boolean; 2: string; 3: int; 4: short; 5: long; 6: double; 7: list;
         * 8: class; 9: password.
         */
        configType: int8({ versions: '3+', default: 0, ignorable: true }),
        documentation: string({ versions: '3+', nullable: '0+', ignorable: true }),
      }),
    }),
  },
})

export interface DescribeConfigsRequest extends RequestOf<typeof DescribeConfigs> {}
export interface DescribeConfigsResponse extends ResponseOf<typeof DescribeConfigs> {}
