// Frames on their way to a peer. What is sent to many is held once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cweb::server {

/// One thread at a time.
class FrameQueue {
 public:
  bool empty() const { return segments_.empty(); }
  /// Bytes that were not sent.
  size_t bytes() const { return bytes_; }

  void append(std::string frame);
  void append(std::shared_ptr<const std::string> frame);

  /// What can be sent next in one piece.
  std::string_view front() const { return segments_[first_].bytes().substr(offset_); }
  /// `count` bytes of the front.
  void sent(size_t count);

  void swap(FrameQueue& other) noexcept;

 private:
  struct Segment {
    std::string own;
    std::shared_ptr<const std::string> shared;  ///< null: `own`
    std::string_view bytes() const { return shared ? *shared : own; }
  };
  void add(Segment segment);

  std::vector<Segment> segments_;
  size_t first_ = 0;   // that is not sent
  size_t offset_ = 0;  // within it
  size_t bytes_ = 0;
};

}  // namespace cweb::server
