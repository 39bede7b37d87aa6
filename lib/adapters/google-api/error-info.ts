// Why a gRPC call failed in Google's own words (`SERVICE_DISABLED`), out of the trailer that Google's library hands on undecoded
// where the call is not a stream.
// Source: https://google.aip.dev/193 (google.rpc.Status and ErrorInfo), https://protobuf.dev/programming-guides/encoding/

/** ErrorInfo.reason of the `grpc-status-details-bin` of an error's metadata; undefined where there is none. */
export function errorInfoReason(metadata: unknown): string | undefined {
  const details = hasGet(metadata) ? metadata.get('grpc-status-details-bin') : undefined;
  const [status] = Array.isArray(details) ? (details as unknown[]) : [];
  if (!Buffer.isBuffer(status)) return undefined;
  // Status.details = 3 are Any: type_url = 1, value = 2. ErrorInfo.reason = 1.
  for (const any of fields(status, 3)) {
    const [type] = fields(any, 1);
    const [info] = fields(any, 2);
    if (type?.toString('utf8').endsWith('/google.rpc.ErrorInfo') !== true || info === undefined) continue;
    return fields(info, 1)[0]?.toString('utf8');
  }
  return undefined;
}

/** Fields of one number that have a length; [] where the bytes are no message. */
function fields(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;

  /** Numbers above 2^31 do not occur in what is looked for. */
  function varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35 && at < message.byteLength; shift += 7) {
      const byte = message[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  while (at < message.byteLength) {
    const tag = varint();
    const kind = tag & 7;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind === 2) {
      const end = varint() + at;
      if (end < at || end > message.byteLength) return found;
      if (tag >>> 3 === wanted) found.push(message.subarray(at, end));
      at = end;
    } else return found;
  }
  return found;
}

function hasGet(value: unknown): value is { get(name: string): unknown } {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}
