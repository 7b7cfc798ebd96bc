#include "supervisor/deploy_journal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "base/log.h"

namespace cweb::supervisor {
namespace {

/// At the beginning of each file. Written last when a file is new, so that the file counts only once it is whole.
struct FileHead {
  static constexpr uint64_t expected_magic = 0x6377'6562'6a72'6e6c;  // "cwebjrnl"
  uint64_t magic = expected_magic;
  uint64_t generation = 0;
  uint64_t checksum = 0;

  uint64_t expected_checksum() const {
    return crc32_z(0, reinterpret_cast<const unsigned char*>(this), offsetof(FileHead, checksum));
  }
};
constexpr size_t first_record = 64;
static_assert(sizeof(FileHead) <= first_record && first_record % record_alignment == 0);

bool read_at(int file, void* to, size_t bytes, size_t offset) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t count = pread(file, at, bytes, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += count;
    offset += static_cast<size_t>(count);
    bytes -= static_cast<size_t>(count);
  }
  return true;
}

bool write_at(int file, std::string_view bytes, size_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    offset += static_cast<size_t>(count);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

size_t size_of(int file) {
  struct stat status{};
  return fstat(file, &status) == 0 ? static_cast<size_t>(status.st_size) : 0;
}

bool truncate(int file, size_t bytes) {
  return ftruncate(file, static_cast<off_t>(bytes)) == 0;
}

/// The generation of a file that counts; 0 for one that does not.
uint64_t generation_of(int file) {
  FileHead head;
  if (!read_at(file, &head, sizeof head, 0) || head.magic != FileHead::expected_magic) return 0;
  return head.checksum == head.expected_checksum() ? head.generation : 0;
}

size_t death_record_bytes(const std::string& name) {
  RecordHead head;
  head.name_bytes = static_cast<uint32_t>(name.size());
  return head.record_bytes();
}

}  // namespace

Expected<std::unique_ptr<DeployJournal>> DeployJournal::open(std::array<UniqueFd, 2> files, Options options) {
  std::unique_ptr<DeployJournal> journal(new DeployJournal(std::move(files), options));
  journal->choose_file();
  if (journal->generation_ == 0) {
    journal->generation_ = 1;
    if (!truncate(journal->file(), 0) || !journal->write_file_head(0, 1)) {
      return fail(std::string("the journal of deploys cannot be written: ") + strerror(errno));
    }
  }
  journal->scan();
  return journal;
}

void DeployJournal::choose_file() {
  const std::array<uint64_t, 2> generations{generation_of(files_[0].get()), generation_of(files_[1].get())};
  current_ = generations[1] > generations[0] ? 1 : 0;
  generation_ = generations[current_];
  // What is left of a file that was being written, or of one that was not thrown away in time.
  truncate(files_[1 - current_].get(), 0);
}

bool DeployJournal::write_file_head(size_t file, uint64_t generation) const {
  FileHead head;
  head.generation = generation;
  head.checksum = head.expected_checksum();
  return write_at(files_[file].get(), {reinterpret_cast<const char*>(&head), sizeof head}, 0);
}

// ------------------------------------------------------------------------------------------------------------ reading

void DeployJournal::scan() {
  const size_t file_end = size_of(file());
  end_ = first_record;
  while (end_ < file_end) {
    if (const size_t bytes = take_record_at(end_, file_end); bytes > 0) {
      end_ += bytes;
      continue;
    }
    const size_t next = find_record(end_ + record_alignment, file_end);
    if (next == file_end) {
      log::warn("the last record of the journal of deploys was not finished and is ignored");
      truncate(file(), end_);
      return;
    }
    log::error("a record in the journal of deploys is damaged beyond its name and is left out ({} bytes)", next - end_);
    end_ = next;
  }
}

size_t DeployJournal::take_record_at(size_t offset, size_t file_end) {
  RecordHead head;
  if (file_end - offset < sizeof head || !read_at(file(), &head, sizeof head, offset) || !is_plausible(head)) return 0;
  if (head.record_bytes() > file_end - offset) return 0;
  std::string name(head.name_bytes, '\0');
  if (!read_at(file(), name.data(), name.size(), offset + sizeof head) || !is_sound(head, name)) return 0;
  std::string texts(head.text_bytes(), '\0');
  const bool is_read = read_at(file(), texts.data(), texts.size(), offset + sizeof head + name.size());
  if (is_read && decode_texts(head, name, texts)) {
    apply(head.kind, name, head.number, offset, head.record_bytes());
  } else {
    log::error("the record of module {} version {} in the journal of deploys is damaged and is left out", name,
               head.number);
  }
  return head.record_bytes();
}

/// Where the next sound head stands; file_end when there is none.
size_t DeployJournal::find_record(size_t offset, size_t file_end) const {
  for (; offset + sizeof(RecordHead) <= file_end; offset += record_alignment) {
    RecordHead head;
    if (!read_at(file(), &head, sizeof head, offset) || !is_plausible(head)) continue;
    if (head.record_bytes() > file_end - offset) continue;
    std::string name(head.name_bytes, '\0');
    if (read_at(file(), name.data(), name.size(), offset + sizeof head) && is_sound(head, name)) return offset;
  }
  return file_end;
}

void DeployJournal::apply(RecordKind kind, const std::string& name, unsigned number, size_t offset, size_t bytes) {
  const auto found = places_.find(name);
  const bool is_known = found != places_.end();
  if (is_known) live_bytes_ -= found->second.bytes + (found->second.deaths > 0 ? death_record_bytes(name) : 0);
  switch (kind) {
    case RecordKind::module: {
      const uint64_t order = is_known ? found->second.order : next_order_++;
      places_[name] = {.order = order, .offset = offset, .bytes = bytes, .deaths = 0};
      live_bytes_ += bytes;
      return;
    }
    case RecordKind::removal:
      if (is_known) places_.erase(found);
      return;
    case RecordKind::death:
      if (!is_known) return;
      found->second.deaths = number;
      live_bytes_ += found->second.bytes + (number > 0 ? death_record_bytes(name) : 0);
      return;
  }
}

std::vector<DeployJournal::Entry> DeployJournal::modules() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<uint64_t, Entry>> found;
  for (const auto& [name, place] : places_) found.push_back({place.order, {.name = name, .deaths = place.deaths}});
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) { return left.first < right.first; });
  std::vector<Entry> entries;
  for (auto& [order, entry] : found) entries.push_back(std::move(entry));
  return entries;
}

std::optional<DeployRecord> DeployJournal::read(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  if (found == places_.end()) return std::nullopt;
  const size_t offset = found->second.offset;
  RecordHead head;
  if (!read_at(file(), &head, sizeof head, offset) || !is_sound(head, name)) return std::nullopt;
  std::string texts(head.text_bytes(), '\0');
  if (!read_at(file(), texts.data(), texts.size(), offset + sizeof head + name.size())) return std::nullopt;
  return decode_texts(head, name, texts);
}

size_t DeployJournal::file_bytes() const {
  const std::lock_guard lock(mutex_);
  return size_of(file());
}

// ------------------------------------------------------------------------------------------------------------ writing

void DeployJournal::deployed(const DeployRecord& record) {
  const std::lock_guard lock(mutex_);
  if (append(RecordKind::module, record)) return compact_if_worth_it();
  log::error("module {} version {} is live, but will not come back if the server process has to be replaced: {}",
             record.name, record.number, strerror(errno));
}

bool DeployJournal::removed(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!places_.contains(name)) return false;
  if (append(RecordKind::removal, {.name = name})) {
    compact_if_worth_it();
  } else {
    log::error("module {} is removed, but will come back if the server process has to be replaced: {}", name,
               strerror(errno));
  }
  return true;
}

void DeployJournal::died_in(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  if (found != places_.end()) set_deaths(name, found->second, found->second.deaths + 1);
}

void DeployJournal::forgive(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  if (found != places_.end() && found->second.deaths > 0) set_deaths(name, found->second, 0);
}

void DeployJournal::set_deaths(const std::string& name, Place& place, unsigned deaths) {
  if (append(RecordKind::death, {.name = name, .number = deaths})) return compact_if_worth_it();
  place.deaths = deaths;
  log::error("how often the server process has died in calls of module {} ({}) cannot be noted: {}", name, deaths,
             strerror(errno));
}

/// False, with errno, when it cannot be written: the file is as before then.
bool DeployJournal::append(RecordKind kind, const DeployRecord& record) {
  const std::string bytes = encode_record(kind, record);
  // The head last: a process that dies in between leaves no record and not half of one.
  const std::string_view text = bytes;
  if (!write_at(file(), text.substr(sizeof(RecordHead)), end_ + sizeof(RecordHead)) ||
      !write_at(file(), text.substr(0, sizeof(RecordHead)), end_)) {
    const int error = errno;
    truncate(file(), end_);
    errno = error;
    return false;
  }
  apply(kind, record.name, record.number, end_, bytes.size());
  end_ += bytes.size();
  return true;
}

void DeployJournal::compact_if_worth_it() {
  if (end_ <= options_.compact_above_bytes || end_ <= 2 * live_bytes_) return;
  const size_t other = 1 - current_;
  Places places = places_;
  size_t end = first_record;
  const bool copied = truncate(files_[other].get(), 0) && copy_live_records(file(), files_[other].get(), places, end) &&
                      write_file_head(other, generation_ + 1);
  if (!copied) {
    log::warn("the journal of deploys cannot be made smaller: {}", strerror(errno));
    truncate(files_[other].get(), 0);
    return;
  }
  truncate(file(), 0);
  current_ = other;
  ++generation_;
  places_ = std::move(places);
  end_ = end;
}

bool DeployJournal::copy_live_records(int from, int to, Places& places, size_t& end) const {
  std::vector<Places::value_type*> in_order;
  for (auto& each : places) in_order.push_back(&each);
  std::sort(in_order.begin(), in_order.end(),
            [](const auto* left, const auto* right) { return left->second.order < right->second.order; });
  std::string bytes;
  for (auto* each : in_order) {
    Place& place = each->second;
    bytes.resize(place.bytes);
    if (!read_at(from, bytes.data(), bytes.size(), place.offset)) return false;
    if (place.deaths > 0) bytes += encode_record(RecordKind::death, {.name = each->first, .number = place.deaths});
    if (!write_at(to, bytes, end)) return false;
    place.offset = end;
    end += bytes.size();
  }
  return true;
}

}  // namespace cweb::supervisor
