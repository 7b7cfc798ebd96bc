#include "store/object_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/log.h"
#include "store/digest.h"
#include "store/files.h"
#include "temporary_directory.h"
#include "unit/failing_calls.h"

namespace cweb::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const std::string hash = sha256_hex("source");
const CachedObject object{.facts = "{\"facts\": 1}",
                          .object = std::string("\x7f"
                                                "ELF\0code",
                                                9)};

class ObjectCacheTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { log::set_up(); }
  std::unique_ptr<ObjectCache> open(const std::string& fingerprint = "compiler 1") {
    return ObjectCache::open(directory_.get(), fingerprint);
  }
  std::string only_file() const { return files_.files().at(0); }

  TemporaryDirectory files_;
  UniqueFd directory_ = std::move(*open_directory(AT_FDCWD, files_.path()));
};

TEST_F(ObjectCacheTest, what_is_kept_is_found_by_the_next_process) {
  open()->keep(hash, object);
  const auto found = open()->find(hash);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->facts, object.facts);
  EXPECT_EQ(found->object, object.object);
}

TEST_F(ObjectCacheTest, another_source_or_compiler_finds_nothing) {
  open()->keep(hash, object);
  EXPECT_FALSE(open()->find(sha256_hex("other source")));
  EXPECT_FALSE(open("compiler 2")->find(hash));
}

TEST_F(ObjectCacheTest, an_entry_under_a_wrong_name_is_not_believed) {
  open("compiler 2")->keep(hash, object);
  const std::string name = only_file();
  open("compiler 1")->keep(hash, object);
  std::string other;
  for (const std::string& file : files_.files()) other = file == name ? other : file;
  std::filesystem::copy_file(files_.path(name), files_.path(other), std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(open("compiler 1")->find(hash));
}

TEST_F(ObjectCacheTest, no_byte_of_an_entry_can_be_another) {
  const std::string entry = encode_cache_entry("compiler 1", hash, object);
  ASSERT_TRUE(decode_cache_entry(entry, "compiler 1", hash));
  for (size_t i = 0; i < entry.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = entry;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      EXPECT_FALSE(decode_cache_entry(damaged, "compiler 1", hash)) << "byte " << i;
    }
    EXPECT_FALSE(decode_cache_entry(entry.substr(0, i), "compiler 1", hash)) << i << " bytes of it";
  }
  EXPECT_FALSE(decode_cache_entry(entry + "x", "compiler 1", hash));
}

TEST_F(ObjectCacheTest, a_damaged_entry_is_removed) {
  open()->keep(hash, object);
  std::string bytes = files_.read(only_file());
  bytes[bytes.size() / 2] ^= 1;
  files_.write(only_file(), bytes);
  EXPECT_FALSE(open()->find(hash));
  EXPECT_THAT(files_.files(), IsEmpty());
}

TEST_F(ObjectCacheTest, nobody_else_may_read_or_write_it) {
  open()->keep(hash, object);
  struct stat facts{};
  stat(files_.path(".cache").c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 0777, 0700U);
  stat(files_.path(only_file()).c_str(), &facts);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(ObjectCacheTest, an_entry_that_others_may_write_is_not_believed) {
  open()->keep(hash, object);
  chmod(files_.path(only_file()).c_str(), 0622);
  EXPECT_FALSE(open()->find(hash));
  EXPECT_THAT(files_.files(), IsEmpty());
}

TEST_F(ObjectCacheTest, a_directory_that_is_open_to_others_is_not_used) {
  open();
  chmod(files_.path(".cache").c_str(), 0777);
  EXPECT_EQ(open(), nullptr);
}

TEST_F(ObjectCacheTest, a_directory_of_another_user_is_not_used) {
  open();
  if (geteuid() == 0) {
    ASSERT_EQ(chown(files_.path(".cache").c_str(), 12345, 12345), 0);
    EXPECT_EQ(open(), nullptr);
    return;
  }
  // An errno of 0 is a result of 0: this thread takes itself for root.
  with_failing({.number = SCMP_SYS(geteuid), .error = 0}, [&] { EXPECT_EQ(open(), nullptr); });
}

TEST_F(ObjectCacheTest, a_link_is_not_followed) {
  const TemporaryDirectory elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(), files_.path(".cache"));
  EXPECT_EQ(open(), nullptr);
  std::filesystem::remove(files_.path(".cache"));
  open()->keep(hash, object);
  const std::string file = only_file();
  std::filesystem::rename(files_.path(file), elsewhere.path("entry"));
  std::filesystem::create_symlink(elsewhere.path("entry"), files_.path(file));
  EXPECT_FALSE(open()->find(hash));
}

TEST_F(ObjectCacheTest, what_nothing_needs_goes) {
  const std::string second = sha256_hex("second");
  open("compiler 2")->keep(hash, object);
  open()->keep(hash, object);
  open()->keep(second, object);
  EXPECT_THAT(files_.files(), SizeIs(3));
  open()->keep_only({hash});
  EXPECT_THAT(files_.files(), SizeIs(1));
  EXPECT_TRUE(open()->find(hash));
  open()->forget(hash);
  EXPECT_THAT(files_.files(), IsEmpty());
}

TEST_F(ObjectCacheTest, on_a_full_disk_there_is_no_half_entry) {
  with_failing({.number = SCMP_SYS(write), .error = ENOSPC, .when = {longer_than_a_probe}},
               [&] { open()->keep(hash, object); });
  EXPECT_THAT(files_.files(), IsEmpty());
}

}  // namespace
}  // namespace cweb::store
