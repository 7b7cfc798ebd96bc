# What every target of the project is compiled with, and how a part is declared.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(cweb_flags INTERFACE)
# Designated initialisers that leave the rest to its default are meant so.
target_compile_options(cweb_flags INTERFACE -Wall -Wextra -Wconversion -Wno-missing-field-initializers -Werror
  -fno-omit-frame-pointer)
target_include_directories(cweb_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
if(CWEB_SANITIZE)
  target_compile_options(cweb_flags INTERFACE -fsanitize=${CWEB_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(cweb_flags INTERFACE -fsanitize=${CWEB_SANITIZE})
  target_compile_definitions(cweb_flags INTERFACE CWEB_SANITIZED=1)
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
# the order of the parts is ARCHITECTURE.md's. REQUEST_PATH: see above.
function(cweb_part name)
  cmake_parse_arguments(PART "REQUEST_PATH" "" "FILES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${PART_FILES})
  if(PART_REQUEST_PATH)
    target_compile_options(${name} PRIVATE ${CWEB_REQUEST_PATH_COMPILE})
  endif()
  target_link_libraries(${name} PUBLIC ${PART_LINKS} PRIVATE cweb_flags ${PART_PRIVATE_LINKS})
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
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE cweb_flags ${TEST_LINKS} GTest::gmock GTest::gtest_main cweb_malloc)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}." PROPERTIES TIMEOUT 120 LABELS "${TEST_LABELS}")
endfunction()
