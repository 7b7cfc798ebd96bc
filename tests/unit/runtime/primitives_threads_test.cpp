// 16 threads that use what all modules share at the same time: nothing is lost. And versions that keep each other.
#include <cweb.h>

#include <atomic>
#include <thread>
#include <vector>

#include "primitives_fixture.h"
#include "runtime/host_objects.h"

namespace cweb::runtime {
namespace {

#ifdef CWEB_SANITIZED
constexpr int operations = 1'000;
#else
constexpr int operations = 10'000;
#endif
constexpr int threads = 16;

template <class Work>
void on_all_threads(const std::shared_ptr<ModuleVersion>& version, const Work& work) {
  std::vector<std::thread> started;
  for (int t = 0; t < threads; ++t) {
    started.emplace_back([&, t] {
      const Inside inside(version);
      work(t);
    });
  }
  for (std::thread& thread : started) thread.join();
}

std::atomic<int> runs;

class SharedByThreadsTest : public PrimitivesTest {
 protected:
  SharedByThreadsTest() : PrimitivesTest(size_t{64} << 20), version_(deploy("a")) {}
  const std::shared_ptr<ModuleVersion> version_;
};

TEST_F(SharedByThreadsTest, the_cache_loses_nothing) {
  auto* const put = host<int(const char*, const void*, size_t, long)>("cweb_cache_put");
  auto* const fetch = host<long(const char*, void*, size_t)>("cweb_cache_fetch");
  auto& cache = *host_objects().cache;
  std::atomic<int> wrong = 0;
  on_all_threads(version_, [&](int t) {
    for (int i = 0; i < operations; ++i) {
      const std::string name = std::to_string(t) + "/" + std::to_string(i % 500), text = name + "=" + std::to_string(i);
      if (put(name.c_str(), text.data(), text.size(), 0) != 0) ++wrong;
      char read[64];
      const long length = fetch(name.c_str(), read, sizeof read);
      if (length != static_cast<long>(text.size()) || text.compare(0, text.size(), read, text.size()) != 0) ++wrong;
      if (cache.set(name.c_str(), &runs) != 0 || cache.get(name.c_str()) != &runs) ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST_F(SharedByThreadsTest, the_scheduler_loses_nothing) {
  runs = 0;
  const auto count = [](void*) { ++runs; };
  auto& all = *host_objects().scheduler;
  std::atomic<int> added = 0;
  on_all_threads(version_, [&](int) {
    for (int i = 0; i < operations; ++i) {
      while (all.add(count, nullptr, ASYNC) != 0) std::this_thread::yield();
      ++added;
    }
  });
  while (version_->waiting_work.load() > 0) std::this_thread::yield();
  EXPECT_EQ(added, threads * operations);
  EXPECT_EQ(runs, added);
}

TEST_F(SharedByThreadsTest, the_database_loses_nothing) {
  auto& database = *host_objects().database;
  {
    const Inside inside(version_);
    ASSERT_EQ(database.exec("CREATE TABLE t (thread INTEGER, i INTEGER)", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  std::atomic<int> wrong = 0;
  on_all_threads(version_, [&](int t) {
    sqlite3_stmt* insert = nullptr;
    if (database.prepare("INSERT INTO t VALUES (?, ?)", &insert) != SQLITE_OK) ++wrong;
    for (int i = 0; i < operations; ++i) {
      database.bind_int(insert, 1, t);
      database.bind_int(insert, 2, i);
      if (database.step(insert) != SQLITE_DONE || database.changes() != 1) ++wrong;
      database.reset(insert);
    }
    database.finalize(insert);
  });
  EXPECT_EQ(wrong, 0);
  const Inside inside(version_);
  sqlite3_stmt* count = nullptr;
  ASSERT_EQ(database.prepare("SELECT count(DISTINCT thread * 100000 + i) FROM t", &count), SQLITE_OK);
  ASSERT_EQ(database.step(count), SQLITE_ROW);
  EXPECT_EQ(database.column_int(count, 0), threads * operations);
  database.finalize(count);
}

TEST_F(SharedByThreadsTest, versions_that_use_each_others_symbols_go_with_the_last_of_them) {
  std::vector<std::weak_ptr<ModuleVersion>> all;
  for (int i = 0; i < 20; ++i) {
    const auto a = deploy("a"), b = deploy("b");
    all.insert(all.end(), {a, b});
    a->keep(b);
    b->keep(a);
  }
  ASSERT_TRUE(runtime_->retirer().wait_until_done(std::chrono::seconds(30)));
  for (size_t i = 0; i + 2 < all.size(); ++i) EXPECT_TRUE(all[i].expired()) << i;
}

TEST_F(SharedByThreadsTest, symbols_are_the_live_versions) {
  auto& symbols = *host_objects().symbols;
  const auto other = deploy("other");
  const Inside inside(version_);
  EXPECT_EQ(symbols.resolv("other", "config"), &static_cast<const FakeImage&>(other->image()).config);
  EXPECT_EQ(symbols.resolv(symbols.user_data, "other", "config"), symbols.resolv("other", "config"));
  EXPECT_EQ(symbols.resolv("other", "nothing"), nullptr);
  EXPECT_EQ(symbols.resolv("nobody", "config"), nullptr);
  EXPECT_EQ(symbols.resolv(nullptr, "config"), nullptr);
  const auto next = deploy("other");
  EXPECT_EQ(symbols.resolv("other", "config"), &static_cast<const FakeImage&>(next->image()).config);
}

TEST_F(SharedByThreadsTest, tokens_are_checked_for_size) {
  const auto& crypto = *host_objects().crypto;
  char signature[CWEB_SIGNATURE_SIZE + 1] = {};
  char token[] = "user=ann";
  EXPECT_EQ(crypto.sign_token(token, signature, CWEB_SIGNATURE_SIZE - 1), -1);
  EXPECT_EQ(crypto.ops->sign_token(token, signature, sizeof signature), 0);
  EXPECT_EQ(strlen(signature), CWEB_SIGNATURE_SIZE - 1U);
  EXPECT_EQ(crypto.verify_token(signature, token, sizeof token), 0);
  EXPECT_EQ(crypto.ops->verify_token(signature, token, strlen(token)), 0);
  EXPECT_EQ(crypto.verify_token(signature, token, 4), -1);
  signature[CWEB_SIGNATURE_SIZE - 1] = 'A';
  EXPECT_EQ(crypto.verify_token(signature, token, sizeof token), -1);
  EXPECT_EQ(crypto.sign_token(nullptr, signature, sizeof signature), -1);
  EXPECT_EQ(crypto.verify_token(nullptr, token, 1), -1);
}

}  // namespace
}  // namespace cweb::runtime
