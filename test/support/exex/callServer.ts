import { Client, credentials, Metadata } from '@grpc/grpc-js'

export type Method<Request, Response> = {
  readonly path: string
  readonly requestSerialize: (request: Request) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Response
}

/** One unary call to a server at `address`, with a token or without; rejects with gRPC's error. */
export function callServer<Request, Response>(
  address: string,
  method: Method<Request, Response>,
  request: Request,
  token?: string,
): Promise<Response> {
  const client = new Client(address, credentials.createInsecure())
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  return new Promise<Response>((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = method
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      (error, response) => {
        client.close()
        if (error !== null) reject(error)
        else resolve(response!)
      },
    )
  })
}
