// math.random over the sandbox's own draws. The contract is that of Lua 5.4; every call costs one draw.
#include "sim/kernel/random.h"
#include "sim/script/border.h"
#include "sim/script/core.h"
#include "sim/script/library.h"

namespace mqlab::script {
namespace {

bool draw(lua_State* L, std::uint64_t& word) {
  try {
    word = core_of(L).draw();
    return true;
  } catch (const std::exception& error) {
    keep_error(L, error);
  }
  return false;
}

int math_random(lua_State* L) {
  std::uint64_t word = 0;
  lua_Integer low = 1;
  lua_Integer high = 0;
  switch (lua_gettop(L)) {
    case 0:
      if (!draw(L, word)) raise_kept(L);
      lua_pushnumber(L, static_cast<lua_Number>(word >> 11) * 0x1p-53);
      return 1;
    case 1:
      high = luaL_checkinteger(L, 1);
      if (high == 0) {
        if (!draw(L, word)) raise_kept(L);
        lua_pushinteger(L, static_cast<lua_Integer>(word));
        return 1;
      }
      break;
    case 2:
      low = luaL_checkinteger(L, 1);
      high = luaL_checkinteger(L, 2);
      break;
    default:
      raise(L, "wrong number of arguments to `random`: 0, 1 or 2 are expected");
  }
  if (low > high) raise_argument(L, lua_gettop(L), "the interval is empty");
  if (!draw(L, word)) raise_kept(L);
  const std::uint64_t last = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t offset = last == UINT64_MAX ? word : Random::scale(word, last + 1);
  lua_pushinteger(L, static_cast<lua_Integer>(static_cast<std::uint64_t>(low) + offset));
  return 1;
}

}  // namespace

const luaL_Reg math_functions[] = {{"random", math_random}, {nullptr, nullptr}};

}  // namespace mqlab::script
