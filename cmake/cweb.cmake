# What every target of the project is compiled with, and how a part is declared.

find_program(CCACHE ccache)
if(CCACHE)
  # What it has to be told before it keeps objects that were made with precompiled headers.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# cweb_driver_flags is for what only drives the server, which is another process: instrumented it would find nothing but
# its own faults, and take twice the time to build. cweb_flags, for everything else, is that and the sanitizers.
add_library(cweb_driver_flags INTERFACE)
# Designated initialisers that leave the rest to its default are meant so.
target_compile_options(cweb_driver_flags INTERFACE -Wall -Wextra -Wconversion -Wno-missing-field-initializers -Werror
  -fno-omit-frame-pointer)
target_include_directories(cweb_driver_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
add_library(cweb_flags INTERFACE)
target_link_libraries(cweb_flags INTERFACE cweb_driver_flags)
if(CWEB_SANITIZE)
  target_compile_definitions(cweb_driver_flags INTERFACE CWEB_SANITIZED=1)
  target_link_options(cweb_driver_flags INTERFACE -fsanitize=${CWEB_SANITIZE})
  target_compile_options(cweb_flags INTERFACE -fsanitize=${CWEB_SANITIZE} -fno-sanitize-recover=all)
endif()

if(CWEB_FUZZ)
  # What is parsed by somebody else's code (third_party) is to be seen by the fuzzer, too.
  add_compile_options(-fsanitize=fuzzer-no-link,address)
endif()

# What a request goes through is optimised across its files when the server is linked. The objects hold code as well, so
# that the tests' many links stay fast: they leave the optimiser out.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(CWEB_REQUEST_PATH_COMPILE -flto=auto -ffat-lto-objects -fno-plt)
  set(CWEB_LTO_LINK -flto=auto)
  set(CWEB_NO_LTO_LINK -fno-lto)
endif()

# cweb_part(NAME FILES... LINKS...): one static library per folder. What a part links to is what it may know:
# the order of the parts is ARCHITECTURE.md's. REQUEST_PATH and DRIVER: see above.
function(cweb_part name)
  cmake_parse_arguments(PART "REQUEST_PATH;DRIVER" "" "FILES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${PART_FILES})
  if(PART_REQUEST_PATH)
    target_compile_options(${name} PRIVATE ${CWEB_REQUEST_PATH_COMPILE})
  endif()
  set(flags cweb_flags)
  if(PART_DRIVER)
    set(flags cweb_driver_flags)
  endif()
  target_link_libraries(${name} PUBLIC ${PART_LINKS} PRIVATE ${flags} ${PART_PRIVATE_LINKS})
endfunction()

# Most of the time that a test takes to build goes into these headers.
function(cweb_precompile_headers name)
  target_precompile_headers(${name} PRIVATE <gmock/gmock.h> <gtest/gtest.h> <nlohmann/json.hpp> <algorithm> <atomic>
    <chrono> <filesystem> <fstream> <memory> <optional> <string> <string_view> <thread> <vector>)
endfunction()

# The thread sanitizer has something to find where there are threads: its preset builds those tests alone.
function(cweb_is_left_out result)
  if(CWEB_SANITIZE STREQUAL "thread" AND NOT "tsan" IN_LIST ARGN)
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# cweb_test(NAME FILES... LINKS... [LABELS ...]): one GoogleTest binary; every test in it is a ctest of its own.
# The label `tsan` puts it into the thread sanitizer's subset.
function(cweb_test name)
  cmake_parse_arguments(TEST "" "" "FILES;LINKS;LABELS" ${ARGN})
  cweb_is_left_out(left_out ${TEST_LABELS})
  if(left_out)
    return()
  endif()
  add_executable(${name} ${TEST_FILES})
  target_precompile_headers(${name} REUSE_FROM cweb_unit_headers)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE cweb_flags ${TEST_LINKS} GTest::gmock GTest::gtest_main cweb_malloc)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." PROPERTIES TIMEOUT 120 LABELS "${TEST_LABELS}")
endfunction()
