// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Ids of the built-in actors that our contracts speak to.
library Actors {
    uint64 internal constant POWER = 4;
    uint64 internal constant MARKET = 5;
    uint64 internal constant VERIFREG = 6;
    uint64 internal constant DATACAP = 7;
    /// @notice What is sent here is destroyed.
    uint64 internal constant BURNT_FUNDS = 99;
}

/// @title Method numbers: the first four bytes, if at least 2^24, of blake2b-512("1|" + name) (FRC-0042).
library Methods {
    /// @notice A bare transfer: runs no code.
    uint64 internal constant SEND = 0;

    // Called by actors in our contracts.
    uint64 internal constant AUTHENTICATE_MESSAGE = 2_643_134_072;
    uint64 internal constant MARKET_NOTIFY_DEAL = 4_186_741_094;
    uint64 internal constant SECTOR_CONTENT_CHANGED = 2_034_386_435;
    uint64 internal constant UNIVERSAL_RECEIVER_HOOK = 3_726_118_371; // "Receive"

    // f05
    uint64 internal constant GET_DEAL_DATA_COMMITMENT = 1_157_985_802;
    uint64 internal constant GET_DEAL_CLIENT = 128_053_329;
    uint64 internal constant GET_DEAL_PROVIDER = 935_081_690;
    uint64 internal constant GET_DEAL_LABEL = 46_363_526;
    uint64 internal constant GET_DEAL_TERM = 163_777_312;
    uint64 internal constant GET_DEAL_TOTAL_PRICE = 4_287_162_428;
    uint64 internal constant GET_DEAL_CLIENT_COLLATERAL = 200_567_895;
    uint64 internal constant GET_DEAL_PROVIDER_COLLATERAL = 2_986_712_137;
    uint64 internal constant GET_DEAL_VERIFIED = 2_627_389_465;
    uint64 internal constant GET_DEAL_ACTIVATION = 2_567_238_399;
    uint64 internal constant GET_DEAL_SECTOR = 2_611_213_344;

    // A miner
    uint64 internal constant GET_OWNER = 3_275_365_574;
    uint64 internal constant IS_CONTROLLING_ADDRESS = 348_244_887;
    uint64 internal constant VALIDATE_SECTOR_STATUS = 3_092_458_564;
    uint64 internal constant GET_NOMINAL_SECTOR_EXPIRATION = 3_010_055_991;

    // f04
    uint64 internal constant MINER_POWER = 36_284_446;

    // f06
    uint64 internal constant GET_CLAIMS = 2_199_871_187;
    uint64 internal constant EXTEND_CLAIM_TERMS = 1_752_273_514;

    // f07
    uint64 internal constant TRANSFER = 80_475_954;
    uint64 internal constant BALANCE = 3_261_979_605;
    uint64 internal constant INCREASE_ALLOWANCE = 1_777_121_560;
    uint64 internal constant DECREASE_ALLOWANCE = 1_529_376_545;
    uint64 internal constant ALLOWANCE = 4_205_072_950;
}

/// @title What a call of an actor ended with: 0, an exit code of the actor (> 0), an error of the machine (< 0), or one of the
/// two below, which no machine gives.
/// @dev 33 means DEAL_NOT_ACTIVATED from f05 and a revert from a contract.
library Exit {
    int256 internal constant OK = 0;
    int256 internal constant OUT_OF_GAS = 7;
    int256 internal constant ILLEGAL_ARGUMENT = 16;
    int256 internal constant NOT_FOUND = 17;
    int256 internal constant FORBIDDEN = 18;
    int256 internal constant INSUFFICIENT_FUNDS = 19;
    int256 internal constant ILLEGAL_STATE = 20;
    int256 internal constant SERIALIZATION = 21;
    int256 internal constant UNHANDLED_MESSAGE = 22;
    int256 internal constant DEAL_EXPIRED = 32;
    int256 internal constant DEAL_NOT_ACTIVATED = 33;
    int256 internal constant REVERTED = 33;

    int256 internal constant NO_FUNDS = -5;
    int256 internal constant NO_ACTOR = -6;
    int256 internal constant READ_ONLY = -13;

    /// @notice The precompile itself failed, or is not there.
    int256 internal constant NO_CALL = type(int256).min;
    /// @notice The actor succeeded and said something that its interface does not know.
    int256 internal constant BAD_REPLY = type(int256).min + 1;
}

/// @title IPLD codecs of parameters and replies.
library Codec {
    uint64 internal constant NONE = 0;
    uint64 internal constant CBOR = 0x51;
}
