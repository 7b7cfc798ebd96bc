// What the compiler hands to the runtime: executable memory with names, and the facts that were read off the source
// while it still had types. Neutral ground between jit/ and runtime/: no LLVM type, no socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cweb {

/// A place in the module's source, both counted from 1. Line 0: not known.
struct SourcePosition {
  unsigned line = 0;
  unsigned column = 0;
};

/// How a callback of `config` takes its parameters. The inspector reads it off the function's type.
enum class CallShape : uint8_t {
  absent,         ///< no function was given
  documented,     ///< (request, response), (socket, ...) or ()
  context_first,  ///< the same behind a struct cweb_context *
};

/// Where a member of `config` lies: the module may have raised the array sizes, and members may have been added.
struct MemberLayout {
  size_t offset = 0;         ///< bytes from the start of the object that contains it
  size_t size = 0;           ///< bytes of the whole member
  size_t element_size = 0;   ///< of an array: bytes of one element, else 0
  size_t element_count = 0;  ///< of an array: number of elements, else 0
};

/// The record layout of `config`, and of one row of its two tables. A member that the record does not have is empty.
struct ConfigLayout {
  size_t size = 0;
  std::optional<MemberLayout> name, author, routes, route_count, websockets, websocket_count, onload, unload,
      deadline_ms, jobs, job_count;
  /// Offsets within a route row.
  MemberLayout route_path, route_method, route_handler, route_flags;
  /// Offsets within a WebSocket row.
  MemberLayout websocket_path, websocket_on_open, websocket_on_message, websocket_on_close;
};

/// What the constant initialiser of `config` says of one row of `routes`.
struct RouteFact {
  size_t index = 0;         ///< row in the table
  SourcePosition position;  ///< where the row (or its handler) stands
  CallShape handler = CallShape::absent;
  std::string handler_name;
};

/// What the constant initialiser of `config` says of one row of `websockets`.
struct WebSocketFact {
  size_t index = 0;
  SourcePosition position;
  CallShape on_open = CallShape::absent, on_message = CallShape::absent, on_close = CallShape::absent;
};

/// The first use of a function or object that the module declares and does not define.
struct ExternalUse {
  std::string name;
  SourcePosition position;
};

/// What the inspector read from the typed source. Plain data; crosses the process boundary as JSON.
struct ModuleFacts {
  SourcePosition config_position;
  ConfigLayout layout;
  std::vector<RouteFact> routes;          ///< sorted by index
  std::vector<WebSocketFact> websockets;  ///< sorted by index
  CallShape onload = CallShape::absent, unload = CallShape::absent;
  std::vector<ExternalUse> external_uses;
};

/// One function of a call chain, innermost first; an inlined function is a frame of its own.
struct CodeLocation {
  std::string function;
  SourcePosition position;
};

/// Linked code and data of one module version. The destructor gives code, data, symbols and line tables back; nobody
/// may be inside by then. All members may be called from any thread.
class CodeImage {
 public:
  virtual ~CodeImage() = default;

  /// Address of a symbol that the module defines with external linkage and does not hide, or null.
  virtual void* symbol(std::string_view name) const = 0;
  /// Functions to call once after linking, in order, before anything else of the module runs (.init_array).
  virtual std::span<void (*const)()> constructors() const = 0;
  /// Is this address inside the image's code or data?
  virtual bool contains(const void* address) const = 0;
  /// All of that, which is one piece; empty when it is none.
  virtual std::span<const std::byte> memory() const { return {}; }
  /// Bytes from an address inside the image to the end of its memory, all of which can be read; 0 for one outside.
  virtual size_t readable_bytes(const void* address) const = 0;
  /// Source locations of a pc inside the code, inlined frames first; empty when not known.
  virtual std::vector<CodeLocation> locate(uintptr_t pc) const = 0;
  virtual const ModuleFacts& facts() const = 0;
  /// The ELF object that the image was linked from, which lives as long as the image; empty when there is none.
  virtual std::string_view object() const { return {}; }
  /// Bytes of memory that the image occupies.
  virtual size_t bytes() const = 0;
};

/// A function or object of the host that module code may link to by name.
struct HostSymbol {
  std::string_view name;
  void* address;
};

}  // namespace cweb
