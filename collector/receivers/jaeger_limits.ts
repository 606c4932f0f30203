// Limits that all Jaeger receivers share.

/**
 * One batch as it was sent, inflated: four times what Jaeger's own gRPC port takes. It is translated
 * in one go, so a larger one would keep the event loop for too long (P8).
 */
export const JAEGER_BATCH_BYTES_MAX = 16 * 1024 * 1024;
