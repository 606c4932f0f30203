// kafkajs 2.2.4 computes a negative delay at each connect, which Node 24 warns about on the terminal
// of whoever runs us (tulios/kafkajs#1751, closed unmended). The delay is harmless: it becomes 1 ms.

let quiet = false;

/** Drops that one warning; every other one is still shown. */
export function quietKafkajs(): void {
  if (quiet) return;
  quiet = true;
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]): void => {
    if (args[1] === 'TimeoutNegativeWarning') return;
    emitWarning(...args);
  };
}
