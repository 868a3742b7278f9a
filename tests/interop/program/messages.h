/*
 * The messages of grpc.testing, as far as the interoperability cases use them; written and read by hand here,
 * so that the program tests src/rpc and nothing else. Texts and bytes of what is read are borrowed from the
 * message.
 */
#ifndef WEIR_INTEROP_MESSAGES_H
#define WEIR_INTEROP_MESSAGES_H

#include "base/buf.h"

/* A BoolValue, which may be absent. */
typedef enum flag {
    FLAG_ABSENT,
    FLAG_FALSE,
    FLAG_TRUE
} flag;

typedef struct parameters {
    int32_t size;
    int32_t interval_us;
    flag compressed;
} parameters;

#define PARAMETERS_MAX 16

/* SimpleRequest, StreamingOutputCallRequest and StreamingInputCallRequest in one. */
typedef struct request {
    int32_t response_size;
    flag response_compressed;
    flag expect_compressed;
    bool has_status;
    int32_t status_code;
    weir_bytes status_message;
    size_t payload_size; /* of zero bytes; what was read is only measured */
    parameters responses[PARAMETERS_MAX];
    size_t response_count;
} request;

/* Writers append to `out` and abort the program when memory runs out. */
void write_simple_request(weir_buf *out, const request *in);
void write_output_request(weir_buf *out, const request *in);
void write_input_request(weir_buf *out, const request *in);
void write_payload_response(weir_buf *out,
                            size_t payload_size); /* SimpleResponse, StreamingOutputCallResponse */
void write_input_response(weir_buf *out, int32_t aggregated_size);

bool read_simple_request(weir_bytes in, request *out);
bool read_output_request(weir_bytes in, request *out);
bool read_input_request(weir_bytes in, request *out);
/* The size of the payload's body; -1 when malformed or when a byte of it is not zero. */
int64_t read_payload_response(weir_bytes in);
int64_t read_input_response(weir_bytes in);

#endif
