#include "runtime/config_layout.h"

namespace cweb::runtime {
namespace {

/// Does the member, of at least `least` bytes, lie within `bytes`?
bool fits(const MemberLayout& member, size_t least, size_t bytes) {
  return member.size >= least && member.size <= bytes && member.offset <= bytes - member.size;
}

bool fits(const std::optional<MemberLayout>& member, size_t least, size_t bytes) {
  return !member || fits(*member, least, bytes);
}

/// Has the table the bytes of all its rows, and a row those of its pointers?
bool has_rows(const std::optional<MemberLayout>& table, std::initializer_list<const MemberLayout*> pointers) {
  if (!table) return true;
  if (table->element_size == 0 || table->element_count > table->size / table->element_size) return false;
  for (const MemberLayout* pointer : pointers) {
    if (!fits(*pointer, sizeof(void*), table->element_size)) return false;
  }
  return true;
}

}  // namespace

bool is_sound(const ConfigLayout& layout) {
  return layout.name && fits(layout.name, 1, layout.size) && layout.author && fits(layout.author, 1, layout.size) &&
         fits(layout.routes, 0, layout.size) && fits(layout.route_count, sizeof(int), layout.size) &&
         fits(layout.websockets, 0, layout.size) && fits(layout.websocket_count, sizeof(int), layout.size) &&
         fits(layout.onload, sizeof(void*), layout.size) && fits(layout.unload, sizeof(void*), layout.size) &&
         fits(layout.deadline_ms, sizeof(int), layout.size) && fits(layout.jobs, 0, layout.size) &&
         fits(layout.job_count, sizeof(int), layout.size) && has_rows(layout.jobs, {}) &&
         has_rows(layout.routes, {&layout.route_path, &layout.route_method, &layout.route_handler}) &&
         has_rows(layout.websockets, {&layout.websocket_path, &layout.websocket_on_open, &layout.websocket_on_message,
                                      &layout.websocket_on_close});
}

}  // namespace cweb::runtime
