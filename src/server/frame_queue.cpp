#include "server/frame_queue.h"

#include <utility>

namespace cweb::server {
namespace {

/// Frames are put together up to this, so that they leave with one system call.
constexpr size_t joined_bytes = 128 * 1024;
/// A shared frame below this is copied: that costs less than a system call of its own.
constexpr size_t copied_bytes = 4096;

}  // namespace

void FrameQueue::append(std::string frame) {
  if (!segments_.empty() && !segments_.back().shared && segments_.back().own.size() + frame.size() <= joined_bytes) {
    bytes_ += frame.size();
    segments_.back().own.append(frame);
    return;
  }
  add({.own = std::move(frame), .shared = nullptr});
}

void FrameQueue::append(std::shared_ptr<const std::string> frame) {
  if (frame->size() <= copied_bytes) return append(std::string(*frame));
  add({.own = {}, .shared = std::move(frame)});
}

void FrameQueue::add(Segment segment) {
  bytes_ += segment.bytes().size();
  segments_.push_back(std::move(segment));
}

void FrameQueue::sent(size_t count) {
  bytes_ -= count;
  offset_ += count;
  if (offset_ < segments_[first_].bytes().size()) return;
  segments_[first_] = {};
  offset_ = 0;
  if (++first_ < segments_.size()) return;
  segments_.clear();
  first_ = 0;
}

void FrameQueue::swap(FrameQueue& other) noexcept {
  segments_.swap(other.segments_);
  std::swap(first_, other.first_);
  std::swap(offset_, other.offset_);
  std::swap(bytes_, other.bytes_);
}

}  // namespace cweb::server
