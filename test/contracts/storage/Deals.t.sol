// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealTerms, DealView, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { StorageBase } from "./StorageBase.sol";

contract DealsTest is StorageBase {
    function test_Create_KeepsWhatWasGiven() public {
        DealTerms memory t = _terms();
        t.endpoint = "https://client.example/piece/";
        uint64 dealId = _dealWith(t, 7 ether);
        assertEq(dealId, 1);
        DealView memory v = store.dealOf(dealId);
        assertEq(v.client, client);
        assertEq(uint8(v.status), uint8(IPerpetualStorage.DealStatus.Open));
        assertEq(v.cid, HELLO_BYTES);
        assertEq(v.commP, COMMP);
        assertEq(v.paddedSize, GIB);
        assertEq(v.carSize, CAR_SIZE);
        assertEq(v.free, 7 ether);
        assertEq(abi.encode(v.terms), abi.encode(t));
    }
}
