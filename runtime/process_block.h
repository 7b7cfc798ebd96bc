// What may be given to the process's own allocator when a module wants an address freed that is in no module's heap.
#pragma once

namespace cweb::runtime {

/// Does the address lie in memory that the process's allocator knows, so that it can be asked about it? A block that is
/// freed already, or the inside of one, may do so too. False of null. Enters a HostSection.
bool is_process_memory(const void* address);
/// And may a block begin there? False of most insides of blocks.
bool may_be_process_block(const void* address);

}  // namespace cweb::runtime
