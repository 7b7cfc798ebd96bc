// What Clang is told of processors, of others than the one that the tests run on too.
#include "jit/processor.h"

#include <gmock/gmock.h>

namespace cweb::jit {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ProcessorTest, only_what_the_name_does_not_say_is_said) {
  EXPECT_THAT(differing_features({"haswell", {{"avx2", true}, {"avx512f", false}}}), IsEmpty());
}

TEST(ProcessorTest, what_a_virtual_machine_hides_or_shows_is_said) {
  EXPECT_THAT(differing_features({"haswell", {{"avx2", false}, {"avx512f", true}}}), ElementsAre("+avx512f", "-avx2"));
}

TEST(ProcessorTest, a_bound_on_the_width_of_registers_is_not_said_beside_avx_512) {
  EXPECT_THAT(differing_features({"x86-64", {{"avx512f", true}, {"avx10.1-256", true}, {"avx10.1-512", false}}}),
              ElementsAre("+avx512f"));
}

TEST(ProcessorTest, a_processor_with_avx_10_alone_has_it) {
  EXPECT_THAT(differing_features({"x86-64", {{"avx512f", false}, {"avx10.1-256", true}}}), ElementsAre("+avx10.1-256"));
}

TEST(ProcessorTest, this_one_has_a_name_that_clang_knows_and_no_bound_beside_avx_512) {
  const Processor processor = host_processor();
  EXPECT_NE(processor.name, "generic");
  EXPECT_FALSE(processor.features.empty());
  if (processor.features.at("avx512f")) {
    EXPECT_THAT(differing_features(processor), Not(Contains(StartsWith("+avx10"))));
  }
}

}  // namespace
}  // namespace cweb::jit
