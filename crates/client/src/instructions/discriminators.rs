//! The first eight bytes of each instruction's data: the start of the SHA-256 of `global:` and its
//! name.

pub const INITIALIZE_EXCHANGE: [u8; 8] = [224, 105, 116, 166, 228, 207, 96, 19];
pub const PROPOSE_AUTHORITY: [u8; 8] = [20, 148, 236, 198, 76, 119, 99, 142];
pub const ACCEPT_AUTHORITY: [u8; 8] = [107, 86, 198, 91, 33, 12, 107, 160];
pub const SET_PAUSE: [u8; 8] = [63, 32, 154, 2, 56, 103, 79, 45];
pub const CREATE_MARKET: [u8; 8] = [103, 226, 97, 235, 200, 188, 251, 254];
pub const UPDATE_MARKET_RISK: [u8; 8] = [170, 159, 99, 59, 134, 165, 123, 141];
pub const CREATE_TRADER: [u8; 8] = [170, 181, 132, 39, 231, 215, 137, 193];
pub const CLOSE_TRADER: [u8; 8] = [26, 12, 56, 104, 212, 12, 186, 205];
pub const SET_DELEGATE: [u8; 8] = [242, 30, 46, 76, 108, 235, 128, 181];
pub const DEPOSIT: [u8; 8] = [242, 35, 198, 137, 82, 225, 242, 182];
pub const WITHDRAW: [u8; 8] = [183, 18, 70, 156, 148, 109, 161, 34];
pub const ADD_MARGIN: [u8; 8] = [211, 238, 238, 90, 223, 228, 228, 76];
pub const REMOVE_MARGIN: [u8; 8] = [227, 105, 231, 23, 236, 26, 6, 32];
pub const BLOCK_TRADE: [u8; 8] = [33, 40, 236, 189, 105, 202, 188, 70];
pub const PLACE_ORDER: [u8; 8] = [51, 194, 155, 175, 109, 130, 96, 106];
pub const REPLACE_ORDER: [u8; 8] = [196, 148, 255, 192, 194, 68, 104, 91];
pub const CANCEL_ORDER: [u8; 8] = [95, 129, 237, 240, 8, 49, 223, 132];
pub const CANCEL_ALL_ORDERS: [u8; 8] = [196, 83, 243, 171, 17, 100, 160, 143];
pub const PLACE_TRIGGER: [u8; 8] = [219, 75, 198, 172, 87, 232, 205, 21];
pub const CANCEL_TRIGGER: [u8; 8] = [208, 139, 249, 52, 247, 33, 57, 223];
pub const ACCRUE_FUNDING: [u8; 8] = [152, 118, 41, 215, 85, 208, 160, 108];
pub const DONATE_INSURANCE: [u8; 8] = [24, 11, 132, 174, 126, 186, 208, 90];
pub const SWEEP_INSURANCE: [u8; 8] = [60, 221, 5, 32, 9, 251, 194, 222];
pub const GROW_QUEUE: [u8; 8] = [184, 206, 238, 102, 68, 182, 44, 38];
pub const FLAG_BANKRUPTCY: [u8; 8] = [140, 223, 176, 138, 216, 122, 129, 132];
pub const LIQUIDATE: [u8; 8] = [223, 179, 226, 125, 48, 46, 39, 74];
pub const EXECUTE_TRIGGER: [u8; 8] = [158, 99, 201, 137, 192, 20, 236, 136];
pub const AUTO_DELEVERAGE: [u8; 8] = [210, 69, 163, 148, 44, 245, 226, 170];
pub const OPEN_ADL_SESSION: [u8; 8] = [94, 45, 60, 24, 137, 157, 175, 6];
pub const ADVANCE_ADL_SESSION: [u8; 8] = [158, 177, 249, 168, 129, 228, 118, 199];
pub const EXECUTE_ADL_SESSION: [u8; 8] = [164, 189, 15, 199, 254, 155, 143, 106];
pub const CLOSE_ADL_SESSION: [u8; 8] = [143, 17, 246, 80, 124, 228, 90, 37];
