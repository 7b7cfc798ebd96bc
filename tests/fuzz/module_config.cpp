// `config` as a module's memory has it: any bytes, pointers into the image, behind its end, into the module's heap and
// into nothing, and any layout that a compile helper may have told.
//
//   1 byte      bit 0: the layout is the input's, not cweb.h's; bit 1: the image ends where the input does
//   1 byte      number of pointers, each: 2 bytes where, 1 byte what it points to, 2 bytes which byte of it
//   1 byte      number of facts about rows, each: 1 byte row, 1 byte shape
//   [layout]    16 members of 8 bytes: offset, size, element size, element count, 2 bytes each; the first two bytes
//   0xffff: none the rest    the image's memory
#include <memory>
#include <vector>

#include "base/error.h"
#include "fuzz/support/input.h"
#include "runtime/heap.h"
#include "runtime/module_config.h"
#include "unit/fake_image.h"

namespace {

using namespace cweb;
using namespace cweb::runtime;

/// Memory of exactly its size, so that a sanitizer sees the byte behind it.
class MemoryImage final : public CodeImage {
 public:
  explicit MemoryImage(size_t bytes) : memory_(std::make_unique<char[]>(bytes)), bytes_(bytes) {}

  char* writable() { return memory_.get(); }
  ModuleFacts& changeable_facts() { return facts_; }

  void* symbol(std::string_view name) const override { return name == "config" ? memory_.get() : nullptr; }
  std::span<void (*const)()> constructors() const override { return {}; }
  bool contains(const void* address) const override { return readable_bytes(address) > 0; }
  size_t readable_bytes(const void* address) const override {
    const uintptr_t offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(memory_.get());
    return offset < bytes_ ? bytes_ - offset : 0;
  }
  std::vector<CodeLocation> locate(uintptr_t) const override { return {}; }
  const ModuleFacts& facts() const override { return facts_; }
  size_t bytes() const override { return bytes_; }

 private:
  const std::unique_ptr<char[]> memory_;
  const size_t bytes_;
  ModuleFacts facts_;
};

/// What pointers may point to beside the image: a block of a module that lives, and one that was given back.
struct HeapBlocks {
  std::unique_ptr<ModuleHeap> heap = ModuleHeap::create();
  char* live = static_cast<char*>(heap->allocate(24));
  char* freed = static_cast<char*>(heap->allocate(24));

  HeapBlocks() {
    // Ends within the block, but not before its last bytes.
    std::memset(live, '/', block_size(live));
    live[block_size(live) - 1] = '\0';
    release_block(freed);
  }
};

struct Pointer {
  size_t at = 0;
  uint8_t to = 0;
  uint16_t offset = 0;

  const char* value(const MemoryImage& image, const HeapBlocks& blocks) const {
    switch (to % 6) {
      case 0:
        return static_cast<const char*>(image.symbol("config")) + offset % (image.bytes() + 2);
      case 1:
        return blocks.live + (to >= 128 ? offset % 24 : 0);
      case 2:
        return blocks.freed;
      case 3:
        return reinterpret_cast<const char*>(uintptr_t{offset});
      case 4:
        return reinterpret_cast<const char*>(UINTPTR_MAX - offset);
      default:
        return nullptr;
    }
  }
};

template <class Row>
std::vector<Row> take_rows(fuzz::Input& input, Row (*take)(fuzz::Input&)) {
  std::vector<Row> rows(input.number<uint8_t>() % 32);
  for (Row& row : rows) row = take(input);
  return rows;
}

struct Fact {
  size_t row = 0;
  CallShape shape = CallShape::absent;
};

std::optional<MemberLayout> take_member(fuzz::Input& input) {
  // Signed, so that there are numbers that wrap around.
  const auto number = [&] { return static_cast<size_t>(ptrdiff_t{input.number<int16_t>()}); };
  const MemberLayout member{number(), number(), number(), number()};
  return member.offset == SIZE_MAX ? std::nullopt : std::optional(member);
}

ConfigLayout take_layout(fuzz::Input& input) {
  ConfigLayout layout;
  layout.size = input.number<uint16_t>();
  for (auto* member : {&layout.name, &layout.author, &layout.routes, &layout.route_count, &layout.websockets,
                       &layout.websocket_count, &layout.onload, &layout.unload}) {
    *member = take_member(input);
  }
  for (auto* member :
       {&layout.route_path, &layout.route_method, &layout.route_handler, &layout.route_flags, &layout.websocket_path,
        &layout.websocket_on_open, &layout.websocket_on_message, &layout.websocket_on_close}) {
    *member = take_member(input).value_or(MemberLayout{});
  }
  // Jobs are counted as sockets are.
  layout.jobs = layout.websockets;
  layout.job_count = layout.websocket_count;
  return layout;
}

void check_function(const MemoryImage& image, const void* function, CallShape shape) {
  CWEB_ASSERT(function == nullptr || (image.contains(function) && shape != CallShape::absent));
}

void check_config(const MemoryImage& image, const ModuleConfig& config) {
  CWEB_ASSERT(!config.name.empty() && config.name.find('/') == config.name.npos);
  for (const char c : config.name) CWEB_ASSERT(c >= ' ' && c <= '~');
  for (const RouteConfig& route : config.routes) {
    CWEB_ASSERT(!route.path.empty() && (route.path.front() == '/' || route.is_pattern));
    CWEB_ASSERT(route.path.find_first_of(std::string_view(" \r\n\0", 4)) == route.path.npos);
    CWEB_ASSERT(!route.method.empty() && route.method.size() <= 7);
    CWEB_ASSERT(route.handler != nullptr);
    check_function(image, route.handler, route.shape);
  }
  for (const WebSocketConfig& socket : config.websockets) {
    CWEB_ASSERT(socket.path.starts_with('/'));
    check_function(image, socket.on_open, socket.open_shape);
    check_function(image, socket.on_message, socket.message_shape);
    check_function(image, socket.on_close, socket.close_shape);
  }
  check_function(image, config.onload, config.onload_shape);
  check_function(image, config.unload, config.unload_shape);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const HeapBlocks blocks;
  fuzz::Input input(data, size);
  const auto flags = input.number<uint8_t>();
  const auto pointers = take_rows<Pointer>(input, [](fuzz::Input& from) {
    return Pointer{from.number<uint16_t>(), from.number<uint8_t>(), from.number<uint16_t>()};
  });
  const auto facts = take_rows<Fact>(input, [](fuzz::Input& from) {
    return Fact{from.number<uint8_t>(), static_cast<CallShape>(from.number<uint8_t>() % 3)};
  });
  const ConfigLayout layout = (flags & 1) != 0 ? take_layout(input) : FakeImage::layout();

  const std::string_view memory = input.rest();
  MemoryImage image((flags & 2) != 0 ? memory.size() : std::max(memory.size(), sizeof(module_t)));
  std::memcpy(image.writable(), memory.data(), memory.size());
  for (const Pointer& pointer : pointers) {
    const char* value = pointer.value(image, blocks);
    if (pointer.at + sizeof value <= image.bytes()) std::memcpy(image.writable() + pointer.at, &value, sizeof value);
  }
  image.changeable_facts().layout = layout;
  for (const auto& [row, shape] : facts) {
    image.changeable_facts().routes.push_back({row, {1, 1}, shape, "handler"});
    image.changeable_facts().websockets.push_back({row, {1, 1}, shape, shape, shape});
    image.changeable_facts().onload = image.changeable_facts().unload = shape;
  }

  const auto config = read_config(image);
  if (config) {
    check_config(image, *config);
  } else {
    CWEB_ASSERT(!config.error().message.empty() && config.error().message.find('\n') == std::string::npos);
  }
  return 0;
}
