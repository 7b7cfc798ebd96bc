// Whose code an address is, while versions come and go.
#include "runtime/code_map.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "unit/fake_image.h"

namespace cweb::runtime {
namespace {

std::array<std::byte, 300> memory;

uintptr_t address(size_t offset) {
  return reinterpret_cast<uintptr_t>(memory.data()) + offset;
}

std::shared_ptr<ModuleVersion> version_at(uint64_t id, size_t offset, size_t bytes) {
  auto image = std::make_unique<FakeImage>();
  image->addresses = std::span(memory).subspan(offset, bytes);
  auto version = std::make_shared<ModuleVersion>(id, std::move(image));
  note_code(version);
  return version;
}

TEST(CodeMapTest, AnAddressIsTheVersionsAsLongAsItLives) {
  auto first = version_at(101, 0, 100);
  const auto second = version_at(102, 100, 100);
  EXPECT_EQ(find_code(address(0)).version, 101U);
  EXPECT_EQ(find_code(address(99)).version, 101U);
  EXPECT_EQ(find_code(address(100)).version, 102U);
  EXPECT_EQ(find_code(address(200)).version, 0U);
  EXPECT_EQ(find_code(0).version, 0U);
  EXPECT_EQ(find_version(101), first);
  first.reset();
  EXPECT_EQ(find_code(address(0)).version, 0U);
  EXPECT_EQ(find_version(101), nullptr);
  const auto third = version_at(103, 0, 50);
  EXPECT_EQ(find_code(address(49)).version, 103U) << "its place is the next one's";
  EXPECT_EQ(find_code(address(50)).version, 0U);
  EXPECT_EQ(find_version(0), nullptr);
}

TEST(CodeMapTest, AnImageWithoutAddressesOfItsOwnIsNotFound) {
  const auto version = make_version(104, "a", {});
  note_code(version);
  EXPECT_EQ(find_version(104), nullptr);
}

TEST(CodeMapTest, AMapThatIsFullIsSaidOnceAndHasRoomAgainWhenVersionsGo) {
  constexpr uint64_t first = 10'000, most = 16'384;
  std::vector<std::shared_ptr<ModuleVersion>> versions;
  log::set_up();
  testing::internal::CaptureStderr();
  for (uint64_t i = 0; i < most + 2; ++i) versions.push_back(version_at(first + i, 0, 1));
  const std::string said = testing::internal::GetCapturedStderr();
  const size_t at = said.find("more than 16384 module versions are in memory");
  EXPECT_NE(at, said.npos) << said;
  EXPECT_EQ(said.find("module versions are in memory", at + 20), said.npos) << "once is enough";
  EXPECT_NE(find_version(first + most - 1), nullptr);
  EXPECT_EQ(find_version(first + most), nullptr);
  versions.clear();
  const auto next = version_at(first + most + 2, 0, 1);
  EXPECT_EQ(find_code(address(0)).version, first + most + 2);
}

TEST(CodeMapTest, WhoeverLooksWhileVersionsComeAndGoSeesNoneThatNeverWas) {
  const auto stays = version_at(200, 0, 100);
  std::atomic<bool> over{false};
  std::thread looking([&] {
    while (!over) {
      EXPECT_EQ(find_code(address(50)).version, 200U);
      const CodeOwner found = find_code(address(250));
      // Odd ones have the last two hundred bytes, even ones the last hundred.
      EXPECT_EQ(found.bytes, found.version == 0 ? 0U : found.version % 2 == 1 ? 200U : 100U);
      const auto version = find_version(found.version);
      EXPECT_TRUE(!version || version->id() == found.version);
    }
  });
  for (uint64_t id = 201; id < 2'201; ++id) {
    const size_t bytes = id % 2 == 1 ? 200 : 100;
    version_at(id, memory.size() - bytes, bytes);
  }
  over = true;
  looking.join();
}

}  // namespace
}  // namespace cweb::runtime
