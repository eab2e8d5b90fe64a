// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { IDataDAO } from "../interfaces/IDataDAO.sol";
import { Dao, DaoState, Invitation, Member, Seat } from "./DaoState.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Membership
/// @notice The register of a DAO: one member, one vote. It grows by invitation only, each member inviting a few in a period, once
/// it is of age itself.
/// @dev An invitation is taken by the invited account itself. On Filecoin an account has two addresses, and calls with one of
/// them alone: so it is a member once, and nobody can fill the register with addresses that never vote.
abstract contract Membership is IDataDAO, ReentrancyGuardTransient {
    using Dao for DaoState;

    uint40 public constant INVITATION_TERM = 14 days;
    uint256 public constant MAX_FOUNDERS = 64;

    DaoState internal _s;

    /// @inheritdoc IDataDAO
    function invite(address account) external nonReentrant {
        _onlyRegister();
        Member storage inviter = Dao.accountOf(msg.sender);
        if (inviter.joinedAt == 0) revert DataDAO_NotMember(msg.sender);
        if (block.timestamp < inviter.votesFrom) revert DataDAO_TooYoung(msg.sender, inviter.votesFrom);
        if (account == address(0) || account == address(this)) revert DataDAO_BadInvitee(account);
        if (Dao.accountOf(account).joinedAt != 0) revert DataDAO_AlreadyMember(account);

        uint40 periodEnds = inviter.invitesFrom + _s.params.invitePeriod;
        if (block.timestamp >= periodEnds) {
            inviter.invitesFrom = uint40(block.timestamp);
            inviter.invites = 0;
            periodEnds = uint40(block.timestamp) + _s.params.invitePeriod;
        }
        if (inviter.invites >= _s.params.inviteLimit) revert DataDAO_InvitesUsed(msg.sender, periodEnds);
        ++inviter.invites;
        uint40 until = uint40(block.timestamp) + INVITATION_TERM;
        _s.invitations[account] = Invitation(msg.sender, until);
        emit MemberInvited(account, msg.sender, _s.takeSeq(), until);
    }

    /// @inheritdoc IDataDAO
    function join() external nonReentrant {
        Invitation memory invitation = _s.invitations[msg.sender];
        if (block.timestamp >= invitation.until) revert DataDAO_NotInvited(msg.sender);
        delete _s.invitations[msg.sender];
        _admit(msg.sender, invitation.inviter, uint40(block.timestamp) + _s.params.membershipAge);
    }

    /// @inheritdoc IDataDAO
    function leave() external nonReentrant {
        Member memory gone = Dao.accountOf(msg.sender);
        if (gone.joinedAt == 0) revert DataDAO_NotMember(msg.sender);
        uint32 count = _s.head.members - 1;
        _s.head.members = count;
        Seat memory last = Dao.seatAt(count);
        Dao.seat(gone.place, last.account, last.votesFrom, last.number);
        Dao.accountOf(last.account).place = gone.place;
        Dao.seat(count, address(0), 0, 0);
        Member storage m = Dao.accountOf(msg.sender);
        (m.joinedAt, m.votesFrom, m.invitesFrom, m.invites) = (0, 0, 0, 0);
        m.place = 0;
        emit MemberLeft(msg.sender, _s.takeSeq());
    }

    /// @inheritdoc IDataDAO
    function isMember(address account) external view returns (bool) {
        return Dao.accountOf(account).joinedAt != 0;
    }

    /// @inheritdoc IDataDAO
    function memberOf(address account) external view returns (uint40 joinedAt, uint40 votesFrom) {
        Member storage m = Dao.accountOf(account);
        return (m.joinedAt, m.votesFrom);
    }

    /// @inheritdoc IDataDAO
    function placeOf(address account) external view returns (uint256 place) {
        Member storage m = Dao.accountOf(account);
        if (m.joinedAt == 0) revert DataDAO_NotMember(account);
        return m.place;
    }

    /// @inheritdoc IDataDAO
    function memberCount() external view returns (uint256) {
        return _s.head.members;
    }

    /// @inheritdoc IDataDAO
    function membersPage(uint256 from, uint256 limit) external view returns (address[] memory page) {
        uint256 count = _s.head.members;
        if (from >= count) return page;
        if (limit > count - from) limit = count - from;
        page = new address[](limit);
        for (uint256 i = 0; i < limit; ++i) {
            page[i] = Dao.seatAt(from + i).account;
        }
    }

    function _found(address[] calldata founders) internal {
        uint256 count = founders.length;
        if (_s.head.byToken) {
            if (count != 0) revert DataDAO_NotRegister();
            return;
        }
        if (count == 0 || count > MAX_FOUNDERS) revert DataDAO_ParamOutOfRange("founders");
        Dao.stake();
        for (uint256 i = 0; i < count; ++i) {
            address founder = founders[i];
            if (founder == address(0) || Dao.accountOf(founder).joinedAt != 0) {
                revert DataDAO_BadFounder(founder);
            }
            // Whoever was there from the start votes from the start: nobody had anything before.
            _admit(founder, _s.owner, uint40(block.timestamp));
        }
    }

    function _admit(address account, address inviter, uint40 votesFrom) private {
        Member storage m = Dao.accountOf(account);
        uint24 number = m.number;
        if (number == 0) {
            _s.head.numbers = number = _s.head.numbers + 1;
            Dao.stakeFor(m);
        }
        uint32 place = _s.head.members;
        _s.head.members = place + 1;
        (m.joinedAt, m.votesFrom, m.place, m.number) = (uint40(block.timestamp), votesFrom, place, number);
        Dao.seat(place, account, votesFrom, number);
        emit MemberJoined(account, inviter, _s.takeSeq(), votesFrom);
    }

    function _onlyRegister() private view {
        if (_s.head.byToken) revert DataDAO_NotRegister();
    }
}
