#include "supervisor/deploy_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace cweb::supervisor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

DeployRecord record(const std::string& name, unsigned number = 1, size_t object_bytes = 100) {
  return {.name = name,
          .number = number,
          .deployed_at = "2026-11-24T00:00:00.000Z",
          .hash = std::string(64, 'h'),
          .source = "source of " + name,
          .facts = "{}",
          .object = std::string(object_bytes, static_cast<char>('0' + number % 10))};
}

class DeployJournalTest : public testing::Test {
 protected:
  using Journal = std::unique_ptr<DeployJournal>;

  /// As another process does it, with descriptors of its own.
  Journal open(size_t compact_above_bytes = size_t{16} << 20) {
    auto journal = DeployJournal::open({UniqueFd(dup(files_[0].get())), UniqueFd(dup(files_[1].get()))},
                                       {.compact_above_bytes = compact_above_bytes});
    EXPECT_TRUE(journal);
    return std::move(*journal);
  }
  static std::vector<std::string> names(const Journal& journal) {
    std::vector<std::string> names;
    for (const auto& entry : journal->modules()) names.push_back(entry.name);
    return names;
  }
  size_t bytes_of(size_t file) const {
    struct stat status{};
    fstat(files_[file].get(), &status);
    return static_cast<size_t>(status.st_size);
  }
  void overwrite(size_t offset, const std::string& bytes) {
    ASSERT_EQ(pwrite(files_[0].get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Where this text stands in the first file.
  size_t find(const std::string& text) const {
    std::string all(bytes_of(0), '\0');
    EXPECT_EQ(pread(files_[0].get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
    const size_t at = all.find(text);
    EXPECT_NE(at, std::string::npos) << text;
    return at;
  }

  const std::array<UniqueFd, 2> files_{UniqueFd(memfd_create("journal", 0)), UniqueFd(memfd_create("journal", 0))};
};

TEST_F(DeployJournalTest, a_new_one_is_empty) {
  EXPECT_THAT(names(open()), IsEmpty());
  EXPECT_THAT(names(open()), IsEmpty()) << "opened a second time";
}

TEST_F(DeployJournalTest, what_was_deployed_is_read_by_the_next_process_with_all_it_was) {
  const DeployRecord written = record("a", 7);
  open()->deployed(written);
  const auto read = open()->read("a");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 7U);
  EXPECT_EQ(read->deployed_at, written.deployed_at);
  EXPECT_EQ(read->hash, written.hash);
  EXPECT_EQ(read->source, written.source);
  EXPECT_EQ(read->facts, written.facts);
  EXPECT_EQ(read->object, written.object);
  EXPECT_FALSE(open()->read("b"));
}

TEST_F(DeployJournalTest, modules_are_in_the_order_of_their_first_coming_and_the_last_version_counts) {
  {
    const Journal journal = open();
    for (const char* name : {"c", "a", "b"}) journal->deployed(record(name));
    journal->deployed(record("c", 2));
  }
  const Journal journal = open();
  EXPECT_THAT(names(journal), ElementsAre("c", "a", "b"));
  EXPECT_EQ(journal->read("c")->number, 2U);
}

TEST_F(DeployJournalTest, a_removed_module_is_gone_and_comes_last_when_it_comes_again) {
  {
    const Journal journal = open();
    for (const char* name : {"a", "b"}) journal->deployed(record(name));
    journal->removed("a");
    journal->removed("never there");
  }
  EXPECT_THAT(names(open()), ElementsAre("b"));
  open()->deployed(record("a"));
  EXPECT_THAT(names(open()), ElementsAre("b", "a"));
}

TEST_F(DeployJournalTest, deaths_are_counted_until_the_next_deploy) {
  open()->deployed(record("a"));
  open()->died_in("a");
  open()->died_in("a");
  open()->died_in("nobody");
  EXPECT_EQ(open()->modules()[0].deaths, 2U);
  open()->deployed(record("a", 2));
  EXPECT_EQ(open()->modules()[0].deaths, 0U);
}

TEST_F(DeployJournalTest, deaths_are_forgiven_by_whoever_starts_the_module_again) {
  open()->deployed(record("a"));
  open()->forgive("a");
  open()->forgive("nobody");
  const size_t unforgiven = bytes_of(0);
  open()->died_in("a");
  open()->forgive("a");
  EXPECT_GT(bytes_of(0), unforgiven);
  EXPECT_EQ(open()->modules()[0].deaths, 0U);
  open()->died_in("a");
  EXPECT_EQ(open()->modules()[0].deaths, 1U);
}

TEST_F(DeployJournalTest, what_is_removed_is_gone_and_was_there_once) {
  open()->deployed(record("a"));
  EXPECT_FALSE(open()->removed("nobody"));
  EXPECT_TRUE(open()->removed("a"));
  EXPECT_FALSE(open()->removed("a"));
  EXPECT_THAT(names(open()), IsEmpty());
}

TEST_F(DeployJournalTest, a_last_record_that_was_cut_off_is_ignored_and_written_over) {
  open()->deployed(record("a"));
  const size_t whole = bytes_of(0);
  open()->deployed(record("b", 1, 5000));
  const size_t end = bytes_of(0);
  for (size_t bytes = end - 1; bytes > whole; bytes -= std::min<size_t>(bytes - whole, 7)) {
    ASSERT_EQ(ftruncate(files_[0].get(), static_cast<off_t>(bytes)), 0);
    const Journal journal = open();
    ASSERT_THAT(names(journal), ElementsAre("a")) << bytes;
    EXPECT_EQ(bytes_of(0), whole);
    journal->deployed(record("b", 1, 5000));
  }
  EXPECT_THAT(names(open()), ElementsAre("a", "b"));
}

TEST_F(DeployJournalTest, a_record_whose_head_was_not_written_is_ignored) {
  open()->deployed(record("a"));
  const size_t whole = bytes_of(0);
  open()->deployed(record("b"));
  overwrite(whole, std::string(sizeof(RecordHead), '\0'));
  EXPECT_THAT(names(open()), ElementsAre("a"));
}

TEST_F(DeployJournalTest, a_damaged_record_in_the_middle_loses_itself_alone_and_is_named) {
  for (const char* name : {"a", "b", "c"}) open()->deployed(record(name, 3));
  overwrite(find("source of b"), "X");
  testing::internal::CaptureStdout();
  EXPECT_THAT(names(open()), ElementsAre("a", "c"));
  EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("module b version 3"));
}

TEST_F(DeployJournalTest, behind_a_damaged_head_the_next_record_is_found) {
  for (const char* name : {"a", "b", "c"}) open()->deployed(record(name));
  const size_t name_of_b = find("b2026");
  for (const size_t offset : {name_of_b, name_of_b - sizeof(RecordHead), name_of_b - sizeof(RecordHead) + 20}) {
    overwrite(offset, "\xff\xff\xff");
    EXPECT_THAT(names(open()), ElementsAre("a", "c")) << offset;
  }
}

TEST_F(DeployJournalTest, a_damaged_version_leaves_the_one_before) {
  open()->deployed(record("a", 1));
  open()->deployed(record("a", 2, 300));
  overwrite(find(std::string(300, '2')), "X");
  EXPECT_EQ(open()->read("a")->number, 1U);
}

TEST_F(DeployJournalTest, a_file_with_little_life_in_it_is_written_anew) {
  const size_t limit = 100'000;
  const Journal journal = open(limit);
  journal->deployed(record("first"));
  journal->deployed(record("second"));
  journal->died_in("second");
  for (unsigned number = 1; number <= 1000; ++number) {
    journal->deployed(record("many", number, 2000));
    ASSERT_LT(bytes_of(0) + bytes_of(1), 2 * limit);
  }
  EXPECT_EQ(journal->read("many")->number, 1000U);
  const Journal next = open(limit);
  EXPECT_THAT(names(next), ElementsAre("first", "second", "many"));
  EXPECT_EQ(next->modules()[1].deaths, 1U);
  EXPECT_EQ(next->read("first")->source, "source of first");
  EXPECT_EQ(next->read("many")->number, 1000U);
}

TEST_F(DeployJournalTest, a_file_full_of_life_is_left_as_it_is) {
  const Journal journal = open(1000);
  for (int i = 0; i < 100; ++i) journal->deployed(record("m" + std::to_string(i)));
  EXPECT_EQ(bytes_of(1), 0U);
  EXPECT_EQ(names(open(1000)).size(), 100U);
}

TEST_F(DeployJournalTest, a_file_that_was_being_written_anew_when_the_process_died_does_not_count) {
  open()->deployed(record("a"));
  const std::string half(5000, 'x');
  ASSERT_EQ(pwrite(files_[1].get(), half.data(), half.size(), 64), static_cast<ssize_t>(half.size()));
  EXPECT_THAT(names(open()), ElementsAre("a"));
  EXPECT_EQ(bytes_of(1), 0U);
}

TEST_F(DeployJournalTest, without_memory_a_deploy_is_not_noted_and_those_before_it_stay) {
  const Journal journal = open();
  journal->deployed(record("a"));
  const size_t whole = bytes_of(0);
  // The kernel says EFBIG at this limit, as it says ENOSPC when memory is full.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{.rlim_cur = whole + 1000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  journal->deployed(record("b", 1, 100'000));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(bytes_of(0), whole);
  EXPECT_THAT(names(journal), ElementsAre("a"));
  journal->deployed(record("c"));
  EXPECT_THAT(names(open()), ElementsAre("a", "c"));
}

}  // namespace
}  // namespace cweb::supervisor
