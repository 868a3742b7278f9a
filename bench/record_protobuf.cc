// The peer of bench/record: the same bytes parsed by C++ protobuf into an arena, its fastest mode.
#include <google/protobuf/arena.h>
#include <weir/base.h>

#include "v2_source.pb.h"

extern "C" uint64_t record_protobuf_parse(const weir_bytes *messages, size_t count);

namespace
{

uint64_t touch(const fivetran_sdk::v2::Record &record)
{
    uint64_t sum = static_cast<uint64_t>(record.type());

    for (const auto &cell : record.data())
        sum += static_cast<uint64_t>(cell.second.inner_case());
    return sum;
}

} // namespace

extern "C" uint64_t record_protobuf_parse(const weir_bytes *messages, size_t count)
{
    // One arena, kept and reset between messages, with a first block that holds a whole message.
    static char block[8 << 20];
    google::protobuf::ArenaOptions options;
    uint64_t sum = 0;

    options.initial_block = block;
    options.initial_block_size = sizeof block;
    google::protobuf::Arena arena(options);
    for (size_t i = 0; i < count; i++) {
        auto *message = google::protobuf::Arena::CreateMessage<fivetran_sdk::v2::UpdateResponse>(&arena);

        if (!message->ParseFromArray(messages[i].data, static_cast<int>(messages[i].size)))
            abort();
        for (const auto &record : message->records().records())
            sum += touch(record);
        arena.Reset();
    }
    return sum;
}
