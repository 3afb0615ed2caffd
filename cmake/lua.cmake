# Lua as a target: CMake's FindLua sets variables only, and an exported target must not name this machine's paths.
if(NOT TARGET Lua::Lua)
  add_library(Lua::Lua INTERFACE IMPORTED)
  set_target_properties(Lua::Lua PROPERTIES IMPORTED_NO_SYSTEM ON INTERFACE_INCLUDE_DIRECTORIES "${LUA_INCLUDE_DIR}" INTERFACE_LINK_LIBRARIES "${LUA_LIBRARIES}")
endif()
