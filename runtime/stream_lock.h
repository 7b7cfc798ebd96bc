// What glibc keeps behind FILE::_lock: it has no way to ask who holds it.
#pragma once

#include <pthread.h>
#include <stdio.h>

namespace cweb::runtime {

/// Lets go of a stream that the calling thread has locked, however often: a call was left in the middle of it. True
/// when it had.
inline bool release_stream_lock(FILE* stream) {
  struct StreamLock {
    int lock;
    int count;
    void* owner;
  };
  const auto* const held = static_cast<const StreamLock*>(static_cast<const void*>(stream->_lock));
  const int count = held->owner == reinterpret_cast<void*>(pthread_self()) ? held->count : 0;
  for (int i = 0; i < count; ++i) funlockfile(stream);
  return count > 0;
}

}  // namespace cweb::runtime
