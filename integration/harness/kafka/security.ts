// A broker that speaks TLS and asks who is there: by user and password on its external listener, by
// certificate on the mutual one. The internal listener stays plain, for the tests themselves.
import type { Authority } from '../authority.ts';

export interface Security {
  /** Settings of the broker. */
  readonly settings: Readonly<Record<string, string>>;
  /** Arguments of StorageTool: SCRAM's users lie in the cluster's metadata. */
  readonly format: readonly string[];
}

/** Lets `user` in by PLAIN and by both SCRAMs, and whoever holds a certificate of the authority. */
export async function secured(
  authority: Authority,
  user: string,
  password: string,
): Promise<Security> {
  const broker = await authority.issue('broker');
  const modules = 'org.apache.kafka.common.security';
  const scram = `${modules}.scram.ScramLoginModule required;`;
  const own = (name: string) => `listener.name.external.${name}`;
  return {
    settings: {
      'listener.security.protocol.map':
        'EXTERNAL:SASL_SSL,MUTUAL:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': broker.both,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': authority.ca,
      'listener.name.mutual.ssl.client.auth': 'required',
      [own('sasl.enabled.mechanisms')]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      [own('plain.sasl.jaas.config')]:
        `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
      [own('scram-sha-256.sasl.jaas.config')]: scram,
      [own('scram-sha-512.sasl.jaas.config')]: scram,
    },
    format: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${user},password=${password}]`,
    ]),
  };
}
