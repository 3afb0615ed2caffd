// tests/gui_canvas/golden.h: pictures that must stay as they are, to the pixel.
//
// expect_picture(p, "name") compares with tests/gui_canvas/golden/name.png. When they differ, the new picture and one that marks
// the differences are written into the folder `pictures` beside the test binary. MQLAB_ACCEPT_PICTURES=1 makes the new ones the golden ones.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "gui/canvas/png.h"

namespace mqlab::gui {

// What both have is pale; what differs is red.
inline Picture differences(const Picture& a, const Picture& b) {
  Picture out(std::max({1, a.width(), b.width()}), std::max({1, a.height(), b.height()}), {255, 0, 0, 255});
  for (int y = 0; y < std::min(a.height(), b.height()); ++y)
    for (int x = 0; x < std::min(a.width(), b.width()); ++x) {
      const std::uint32_t p = a.at(x, y);
      if (p == b.at(x, y)) out.row(y)[x] = 0xFF000000U | ((p >> 2U & 0x3F3F3FU) + 0xC0C0C0U);
    }
  return out;
}

inline void expect_picture(const Picture& picture, const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path golden = fs::path(MQLAB_SOURCE_DIR) / "tests/gui_canvas/golden" / (name + ".png");
  if (const char* accept = std::getenv("MQLAB_ACCEPT_PICTURES"); accept != nullptr && std::string(accept) == "1") {
    fs::create_directories(golden.parent_path());
    if (!fs::exists(golden) || read_png(golden.string()) != picture) write_png(picture, golden.string());
    return;
  }
  Picture expected;
  if (fs::exists(golden)) expected = read_png(golden.string());
  if (expected == picture) return;
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path() / "pictures";
  fs::create_directories(folder);
  write_png(picture, (folder / (name + ".png")).string());
  if (expected.width() > 0) write_png(differences(expected, picture), (folder / (name + ".differences.png")).string());
  ADD_FAILURE() << (expected.width() > 0 ? "the picture is not " : "there is no ") << golden.string() << "\n  new:         " << (folder / (name + ".png")).string()
                << "\n  differences: " << (folder / (name + ".differences.png")).string() << "\nLook at them. If the new one is right:\n  MQLAB_ACCEPT_PICTURES=1 "
                << fs::read_symlink("/proc/self/exe").string() << " --gtest_filter=" << testing::UnitTest::GetInstance()->current_test_info()->test_suite_name() << "."
                << testing::UnitTest::GetInstance()->current_test_info()->name();
}

}  // namespace mqlab::gui
